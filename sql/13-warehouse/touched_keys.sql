-- What is asked once of the log: the keys of the changed rows of every source, and what they showed
-- before in the other columns by which something is found.
create or replace function warehouse.changes(state warehouse.load_state)
returns warehouse.changed_rows[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  with wanted as (
    select distinct
      s.source_table,
      c.source_column
    from warehouse.load_sources as s
    cross join lateral (values ('id'), (s.source_column)) as c (source_column)
  ),

  changed as (
    select
      w.source_table,
      w.source_column,
      array_agg(distinct v.key::bigint) as keys
    from warehouse.new_entries(changes.state) as e
    join wanted as w
      on w.source_table = e.table_name
    cross join lateral (
      select case w.source_column
        when 'id' then e.row_key
        else e.old_image ->> w.source_column
      end
    ) as v (key)
    where v.key is not null
    group by
      w.source_table,
      w.source_column
  )

  select array(
    select row(c.source_table, c.source_column, c.keys)::warehouse.changed_rows
    from changed as c
  );
$$;
comment on function warehouse.changes(warehouse.load_state) is
  'What has changed in the record since the last load, source by source.';

create or replace function warehouse.shown_values(
  source_table text,
  source_column text,
  row_keys bigint[],
  old_values bigint[]
)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  shown bigint[];
begin
  if shown_values.source_column = 'id' then
    return shown_values.row_keys;
  end if;
  execute format(
    'select array(select s.%1$I from %2$s as s where s.id = any ($1) and s.%1$I is not null '
      'union select unnest($2))',
    shown_values.source_column,
    shown_values.source_table
  )
  into shown
  using shown_values.row_keys, shown_values.old_values;
  return shown;
end;
$$;
comment on function warehouse.shown_values(text, text, bigint[], bigint[]) is
  'What the rows with these keys show in a column, together with what they showed before.';

-- What is gone from the record is found where it was loaded, if the column was.
create or replace function warehouse.keys_found_by(loaded_table text, found_by text, shown bigint[])
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key text := warehouse.key_column(keys_found_by.loaded_table);
  places text[] := array[warehouse.layer(keys_found_by.loaded_table, 'extract')];
  found bigint[];
begin
  if keys_found_by.found_by = key then
    return keys_found_by.shown;
  end if;
  if exists (
    select
    from pg_catalog.pg_attribute as a
    where a.attrelid = format('warehouse.%I', keys_found_by.loaded_table)::regclass
      and a.attname = keys_found_by.found_by
  ) then
    places := places || format('warehouse.%I', keys_found_by.loaded_table);
  end if;
  execute (
    select format(
      'select array(%s)',
      string_agg(
        format('select t.%I from %s as t where t.%I = any ($1)', key, p.place, keys_found_by.found_by),
        ' union '
      )
    )
    from unnest(places) as p (place)
  )
  into found
  using keys_found_by.shown;
  return found;
end;
$$;
comment on function warehouse.keys_found_by(text, text, bigint[]) is
  'The keys of the rows of a dimension or fact that show one of these values in a column, or showed it when they were loaded.';

create or replace function warehouse.keys_since_versions(
  loaded_table text,
  dimension text,
  source_column text,
  found_by text,
  versions bigint[]
)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found bigint[];
begin
  execute format(
    'select array(select e.%1$I from %2$s as v join %3$s as e on e.%4$I = v.%5$I '
      'and (lower_inf(v.valid) or e.happened_at >= lower(v.valid)) where v.%6$I = any ($1))',
    warehouse.key_column(keys_since_versions.loaded_table),
    keys_since_versions.dimension,
    warehouse.layer(keys_since_versions.loaded_table, 'extract'),
    keys_since_versions.found_by,
    keys_since_versions.source_column,
    warehouse.key_column(split_part(keys_since_versions.dimension, '.', 2))
  )
  into found
  using keys_since_versions.versions;
  return found;
end;
$$;
comment on function warehouse.keys_since_versions(text, text, text, text, bigint[]) is
  'The keys of the facts that happened since one of these versions of what they hang on began.';

create or replace function warehouse.touched_keys(
  loaded_table text,
  changes warehouse.changed_rows[]
)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  source record;
  touched bigint[] := '{}'::bigint[];
begin
  for source in
    select
      s.*,
      u.table_name is not null as is_unaudited,
      rows.keys as row_keys,
      before.keys as old_values
    from warehouse.load_sources as s
    left join audit.unaudited_tables as u
      on u.table_name = s.source_table
    left join unnest(touched_keys.changes) as rows
      on rows.source_table = s.source_table
      and rows.source_column = 'id'
    left join unnest(touched_keys.changes) as before
      on before.source_table = s.source_table
      and before.source_column = s.source_column
    where s.loaded_table = touched_keys.loaded_table
      and (u.table_name is not null or cardinality(rows.keys) > 0)
  loop
    touched := touched || case
      -- Nobody says what changed there, so every row that came from there is compared.
      when source.is_unaudited then warehouse.all_keys(source.loaded_table)
      when source.source_table ~ '^warehouse\.' then warehouse.keys_since_versions(
        source.loaded_table,
        source.source_table,
        source.source_column,
        source.found_by,
        source.row_keys
      )
      else warehouse.keys_found_by(
        source.loaded_table,
        source.found_by,
        warehouse.shown_values(
          source.source_table,
          source.source_column,
          source.row_keys,
          source.old_values
        )
      )
    end;
  end loop;
  return array(select distinct unnest(touched));
end;
$$;
comment on function warehouse.touched_keys(text, warehouse.changed_rows[]) is
  'The keys of the rows of a dimension or fact that the changes may have touched, also of those that are gone.';

create or replace function warehouse.all_keys(loaded_table text)
returns bigint[]
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found bigint[];
begin
  execute format(
    'select array(select t.%I from warehouse.%I as t)',
    warehouse.key_column(all_keys.loaded_table),
    all_keys.loaded_table
  )
  into found;
  return found;
end;
$$;
comment on function warehouse.all_keys(text) is
  'The keys of all rows of a loaded table.';

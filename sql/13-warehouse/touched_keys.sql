-- What is asked once of the log: the keys of the changed rows of every source, and what they showed
-- before in the other columns by which something is found.
create or replace function warehouse.changes()
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
    from warehouse.new_entries as e
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
comment on function warehouse.changes() is
  'What has changed in the record since the last load, source by source.';

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
  key text := warehouse.key_column(touched_keys.loaded_table);
  source record;
  touched bigint[] := '{}';
  found bigint[];
begin
  for source in
    select
      s.source_table,
      s.source_column,
      s.found_by,
      u.table_name is not null as is_unaudited,
      s.source_table ~ '^warehouse\.' as is_dimension,
      exists (
        select
        from pg_catalog.pg_attribute as a
        where a.attrelid = format('warehouse.%I', s.loaded_table)::regclass
          and a.attname = s.found_by
      ) as is_shown,
      rows.keys as row_keys,
      shown.keys
    from warehouse.load_sources as s
    left join audit.unaudited_tables as u
      on u.table_name = s.source_table
    left join unnest(touched_keys.changes) as rows
      on rows.source_table = s.source_table
      and rows.source_column = 'id'
    left join unnest(touched_keys.changes) as shown
      on shown.source_table = s.source_table
      and shown.source_column = s.source_column
    where s.loaded_table = touched_keys.loaded_table
  loop
    if source.is_unaudited then
      -- Nobody says what changed there, so every row that came from there is compared.
      execute format('select array(select t.%I from warehouse.%I as t)', key, touched_keys.loaded_table)
      into found;
    elsif source.is_dimension then
      -- A new version concerns what happened from its beginning on.
      execute format(
        'select array(select e.%1$I from %2$s as v join %3$s as e on e.%4$I = v.%5$I '
          'and (lower_inf(v.valid) or e.happened_at >= lower(v.valid)) where v.%6$I = any ($1))',
        key,
        source.source_table,
        warehouse.layer(touched_keys.loaded_table, 'extract'),
        source.found_by,
        source.source_column,
        warehouse.key_column(split_part(source.source_table, '.', 2))
      )
      into found
      using source.row_keys;
    else
      found := source.keys;
      if source.source_column <> 'id' then
        execute format(
          'select array(select s.%1$I from %2$s as s where s.id = any ($1) and s.%1$I is not null '
            'union select unnest($2))',
          source.source_column,
          source.source_table
        )
        into found
        using source.row_keys, source.keys;
      end if;
      if source.found_by <> key then
        execute format(
          'select array(select e.%1$I from %2$s as e where e.%3$I = any ($1)',
          key,
          warehouse.layer(touched_keys.loaded_table, 'extract'),
          source.found_by
        )
          -- What is gone from the record is found where it was loaded.
          || case
            when source.is_shown then
              format(
                ' union select t.%1$I from warehouse.%2$I as t where t.%3$I = any ($1)',
                key,
                touched_keys.loaded_table,
                source.found_by
              )
            else ''
          end
          || ')'
        into found
        using found;
      end if;
    end if;
    touched := touched || found;
  end loop;
  return array(select distinct unnest(touched));
end;
$$;
comment on function warehouse.touched_keys(text, warehouse.changed_rows[]) is
  'The keys of the rows of a dimension or fact that the changes may have touched, also of those that are gone.';

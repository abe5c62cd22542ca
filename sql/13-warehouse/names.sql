-- The loader knows tables by the catalogue and by their names, so that a new one is its own three files
-- and nothing else: dim_x and fact_x are loaded from transform_x, which is made from extract_x.
create or replace function warehouse.layer(table_name text, layer text)
returns text
language sql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select format(
    'warehouse.%I',
    regexp_replace(layer.table_name, '^(dim|fact)', layer.layer)
  );
$$;
comment on function warehouse.layer(text, text) is
  'The view of a loaded table in a layer, extract or transform.';

create or replace function warehouse.key_column(table_name text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.attname::text
  from pg_catalog.pg_constraint as c
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = c.conkey[1]
  where c.conrelid = format('warehouse.%I', key_column.table_name)::regclass
    and c.contype = 'p';
$$;
comment on function warehouse.key_column(text) is
  'The column that is the primary key of a loaded table.';

create or replace function warehouse.loaded_columns(table_name text, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('%s.%I', loaded_columns.alias, a.attname),
    ', '
    order by a.attnum
  )
  from pg_catalog.pg_attribute as a
  where a.attrelid = format('warehouse.%I', loaded_columns.table_name)::regclass
    and a.attnum > 0
    and not a.attisdropped
    and a.attgenerated = '';
$$;
comment on function warehouse.loaded_columns(text, text) is
  'SQL for the columns of a loaded table, in order, but for those it works out itself.';

create or replace function warehouse.day_columns(table_name text, alias text)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(
    format('(%s.%I)', day_columns.alias, a.attname),
    ', '
    order by a.attnum
  )
  from pg_catalog.pg_constraint as c
  join pg_catalog.pg_attribute as a
    on a.attrelid = c.conrelid
    and a.attnum = c.conkey[1]
  where c.conrelid = format('warehouse.%I', day_columns.table_name)::regclass
    and c.confrelid = 'warehouse.dim_date'::regclass;
$$;
comment on function warehouse.day_columns(text, text) is
  'SQL for the columns of a loaded table that refer to days, each in parentheses; null where none does.';

-- Dimensions come first: facts point at them.
create or replace function warehouse.loaded_tables()
returns text[]
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select array(
    select s.loaded_table
    from warehouse.load_sources as s
    group by s.loaded_table
    order by s.loaded_table
  );
$$;
comment on function warehouse.loaded_tables() is
  'The dimensions and facts that are loaded, in the order in which they are.';

create or replace function warehouse.definitions()
returns bytea
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select sha256(
    convert_to(
      string_agg(
        format(
          '%s %s %s %s',
          t.name,
          warehouse.loaded_columns(t.name, 't'),
          pg_get_viewdef(warehouse.layer(t.name, 'extract')::regclass),
          pg_get_viewdef(warehouse.layer(t.name, 'transform')::regclass)
        ),
        e'\n'
        order by t.name
      ),
      'UTF8'
    )
  )
  from unnest(warehouse.loaded_tables()) as t (name);
$$;
comment on function warehouse.definitions() is
  'The SHA-256 of what says what is loaded: a definition that changed is a reason to load everything anew.';

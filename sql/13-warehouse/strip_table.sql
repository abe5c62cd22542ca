-- The first load fills empty tables. Foreign keys checked and indexes kept row by row would take most of
-- its time; checked and built at its end, in the same transaction, they hold as well. The locks this takes
-- keep nobody from anything: there is nothing to read yet. It is only done then: a table that others point at
-- cannot be altered while changes of its rows are still to be checked.
create or replace function warehouse.strip_table(table_name text)
returns text[]
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  relation regclass := format('warehouse.%I', strip_table.table_name)::regclass;
  part record;
  restoring text[] := '{}'::text[];
begin
  for part in
    select
      format('drop index %s', i.indexrelid::regclass) as taking_off,
      pg_get_indexdef(i.indexrelid) as putting_back,
      1 as turn
    from pg_catalog.pg_index as i
    where i.indrelid = relation
      and not i.indisunique

    union all
    select
      format('alter table %s drop constraint %I', relation, c.conname),
      format(
        'alter table %s add constraint %I %s', relation, c.conname, pg_get_constraintdef(c.oid)
      ),
      2
    from pg_catalog.pg_constraint as c
    where c.conrelid = relation
      and c.contype = 'f'
    order by
      turn,
      putting_back
  loop
    execute part.taking_off;
    restoring := restoring || part.putting_back;
  end loop;
  return restoring;
end;
$$;
comment on function warehouse.strip_table(text) is
  'Takes the foreign keys and all indexes but that of the primary key off a loaded table; returns the statements that put them back.';

create or replace function warehouse.fill_table(table_name text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  restoring text[] := warehouse.strip_table(fill_table.table_name);
  written bigint := (select p.written from warehouse.put_rows(fill_table.table_name, null) as p);
  statement text;
begin
  foreach statement in array restoring loop
    execute statement;
  end loop;
  return written;
end;
$$;
comment on function warehouse.fill_table(text) is
  'Writes all rows of a loaded table that is empty; returns how many.';

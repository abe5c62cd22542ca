-- The proof that loading what changed makes what loading everything would make: in one transaction and
-- one snapshot first the one, then the other beside it, row by row by their hashes.
create or replace function warehouse.verify_table(table_name text)
returns setof warehouse.difference
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $query$
    select
      %1$L,
      coalesce(loaded.key, fresh.key)::bigint,
      case
        when loaded.key is null then 'is missing'
        when fresh.key is null then 'should not be there'
        else 'is not what it should be'
      end
    from (
      select
        t.%2$I as key,
        sha256(record_send(row(%3$s))) as hash
      from warehouse.%1$I as t
    ) as loaded
    full join (
      select
        t.%2$I as key,
        sha256(record_send(row(%3$s))) as hash
      from %4$s as t
    ) as fresh
      on fresh.key = loaded.key
    where fresh.hash is distinct from loaded.hash
    order by coalesce(loaded.key, fresh.key)
    $query$,
    verify_table.table_name,
    warehouse.key_column(verify_table.table_name),
    warehouse.loaded_columns(verify_table.table_name, 't'),
    warehouse.layer(verify_table.table_name, 'transform')
  );
end;
$$;
comment on function warehouse.verify_table(text) is
  'The rows of a loaded table that are not what its transform view says, by key.';

create or replace function warehouse.verify()
returns setof warehouse.difference
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  loaded_table text;
begin
  perform warehouse.load();
  if not exists (
    select
    from warehouse.load_state as s
    where s.loaded_by = pg_current_xact_id()
  ) then
    raise exception using
      errcode = 'lock_not_available',
      message = 'Somebody else is loading the warehouse.',
      hint = 'Try again when the load is done.';
  end if;
  -- A full load would begin with the versions that no trigger has written.
  perform warehouse.keep_all_versions();
  foreach loaded_table in array warehouse.loaded_tables() loop
    raise notice 'Verifying %', loaded_table;
    return query select * from warehouse.verify_table(loaded_table);
  end loop;
end;
$$;
comment on function warehouse.verify() is
  'Loads what changed and returns the rows that a full load in the same snapshot would make otherwise; for a transaction that is rolled back. Raises 55P03 when somebody else is loading.';

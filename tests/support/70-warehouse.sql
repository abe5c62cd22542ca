-- The clock of a transaction stands still, so that two loads within one would look like the same.
create function tests.load_warehouse()
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform warehouse.load(true);
  update warehouse.table_states set changed_as_of = pg_catalog.clock_timestamp();
  update warehouse.load_state set data_as_of = pg_catalog.clock_timestamp();
  perform warehouse.refresh_views();
end;
$$;
comment on function tests.load_warehouse() is
  'Loads everything into the warehouse and refreshes its views, within the test''s own transaction.';

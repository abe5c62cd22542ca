-- The queue is hospital_worker's, so its installation (tools/worker/install.ts) leaves a function there
-- that the owner may call, and that queues these two jobs and nothing else.
create or replace function analytics.refresh_views()
returns analytics.refresh_views_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  answer analytics.refresh_views_result;
begin
  perform hospital_private.require_role('administrator');
  if not exists (
    select
    from pg_proc as p
    join pg_namespace as n
      on n.oid = p.pronamespace
    where n.nspname = 'graphile_worker'
      and p.proname = 'queue_refresh'
  ) then
    raise exception using
      errcode = 'NQUEU',
      message = 'The job queue is not installed.',
      hint = 'An operator installs it with `infirmary migrate`.';
  end if;
  execute 'select graphile_worker.queue_refresh()';
  select
    clock_timestamp(),
    (select min(s.data_as_of) from warehouse.view_states as s),
    r.started_at,
    r.outcome
  into answer
  from (values (1)) as one
  left join warehouse.last_refresh_run() as r
    on true;
  return answer;
end;
$$;
comment on function analytics.refresh_views() is
  'Queues the load of the warehouse and the refresh of its views, for administrators; asked again while it waits, it is queued once. Lends the owner''s right to queue the two jobs. Raises UNAUT, PRMSN or NQUEU.';

create or replace function warehouse.last_refresh_run()
returns ops.job_runs
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select r.*
  from ops.job_runs as r
  where r.job = 'refresh_views'
  order by
    r.started_at desc,
    r.id desc
  limit 1;
$$;
comment on function warehouse.last_refresh_run() is 'The newest run of the job refresh_views.';

create or replace function analytics.view_freshness()
returns setof analytics.view_freshness_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator', 'doctor', 'billing');
  return query
  select
    s.view_name,
    s.data_as_of,
    s.refreshed_at,
    warehouse.is_stale(s.data_as_of),
    r.started_at,
    r.outcome
  from warehouse.view_states as s
  left join warehouse.last_refresh_run() as r
    on true
  order by s.view_name;
end;
$$;
comment on function analytics.view_freshness() is
  'How fresh the views behind the answers are and how the last refresh went, for whoever may ask for answers. Lends the owner''s right to read when they were refreshed. Raises UNAUT or PRMSN.';

create or replace function analytics.alerts()
returns setof analytics.alerts_row
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  return query
  select
    a.kind,
    k.description,
    a.raised_at,
    a.closed_at
  from ops.alerts as a
  join ops.alert_kinds as k
    on k.code = a.kind
  order by a.id desc;
end;
$$;
comment on function analytics.alerts() is
  'The incidents on record, newest first, for administrators. Lends the owner''s right to read them. Raises UNAUT or PRMSN.';

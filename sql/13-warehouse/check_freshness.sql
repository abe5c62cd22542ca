-- Whether an answer is stale is asked of the clock whenever somebody asks, so a dead worker hides nothing.
create or replace function warehouse.is_stale(data_as_of timestamptz)
returns boolean
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(is_stale.data_as_of < statement_timestamp() - w.stale_after, true)
  from warehouse.view_settings as w;
$$;
comment on function warehouse.is_stale(timestamptz) is
  'Whether data of that age is older than allowed now; what was never loaded is.';

create or replace function ops.check_freshness()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  found as (
    select bool_or(warehouse.is_stale(s.data_as_of)) as is_stale
    from warehouse.view_states as s
  ),
  raised as (
    insert into ops.alerts (kind)
    select 'stale_answers'
    from found as f
    where f.is_stale
    on conflict (kind) where closed_at is null do nothing
    returning 1
  ),
  closed as (
    update ops.alerts as a
    set closed_at = greatest(now(), a.raised_at)
    from found as f
    where a.kind = 'stale_answers'
      and a.closed_at is null
      and f.is_stale = false
    returning 1
  )
  select (select count(*) from raised) + (select count(*) from closed);
$$;
comment on function ops.check_freshness() is
  'Job: raises one alert when an answer has become stale and closes it when all are fresh again; returns how many it wrote. Lends the worker the owner''s right to write alerts.';

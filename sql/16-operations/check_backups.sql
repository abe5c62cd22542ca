-- A backup that fails says so in the run of its job; one that nobody even tries says nothing. So the list is asked.
create or replace function ops.check_backups(is_nightly boolean)
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  kept as (
    select
      b.finished_at,
      b.problems
    from ops.backups as b
    where b.removed_at is null
  ),
  found as (
    select
      'backup_overdue' as kind,
      -- Where there is none yet, since somebody was asked for one.
      check_backups.is_nightly
      and coalesce(
        (select max(k.finished_at) from kept as k),
        (select min(r.started_at) from ops.job_runs as r where r.job = 'nightly_backup')
      ) < statement_timestamp() - interval '26 hours' as is_so
    union all
    select
      'backup_damaged',
      exists (select from kept as k where k.problems > 0)
  ),
  raised as (
    insert into ops.alerts (kind)
    select f.kind
    from found as f
    where f.is_so
    on conflict (kind) where closed_at is null do nothing
    returning 1
  ),
  closed as (
    update ops.alerts as a
    set closed_at = greatest(now(), a.raised_at)
    from found as f
    where a.kind = f.kind
      and a.closed_at is null
      and f.is_so is not true
    returning 1
  )
  select (select count(*) from raised) + (select count(*) from closed);
$$;
comment on function ops.check_backups(boolean) is
  'Job: raises an alert when the backup of the last night is missing, if one is made every night, or when one was found damaged, and closes it when that is mended; returns how many it wrote. Lends the worker the owner''s right to write alerts.';

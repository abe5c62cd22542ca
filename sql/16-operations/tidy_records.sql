-- What serves nobody any more and would only grow, ninety days after it last could. So many at once: the first night
-- after years may not hold up the morning, and the rest goes the next night.
create or replace function ops.tidy_records()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  old_runs as (
    delete from ops.job_runs as r
    where r.id = any (
      array(
        select old.id
        from ops.job_runs as old
        where old.started_at < now() - interval '90 days'
          and old.outcome <> 'running'
          -- The newest success of each job stays, however old: by it is told that the job is overdue.
          and exists (
            select
            from ops.job_runs as newer
            where newer.job = old.job
              and newer.outcome = 'succeeded'
              and newer.started_at > old.started_at
          )
        limit 50000
      )
    )
    returning 1
  ),

  -- Until when a look at a chart may have lasted is told by its sessions' end: those are kept. That one was deleted is
  -- in the audit, which says of every change whose session it was without asking here.
  old_sessions as (
    delete from hospital_private.sessions as s
    where s.id = any (
      array(
        select old.id
        from hospital_private.sessions as old
        where old.expires_at < now() - interval '90 days'
          and not exists (
            select
            from audit.chart_openings as o
            where o.session_id = old.id
          )
        order by old.expires_at
        limit 10000
      )
    )
    returning 1
  ),

  -- Lines of files, with all that stands in them about a patient; what was read, loaded and refused stays counted.
  old_rejects as (
    delete from staging.import_rejects as j
    where j.run_id = any (
      array(
        select r.id
        from staging.import_runs as r
        where r.loaded_at < now() - interval '90 days'
      )
    )
    returning 1
  ),

  old_remarks as (
    delete from staging.import_remarks as k
    where k.run_id = any (
      array(
        select r.id
        from staging.import_runs as r
        where r.loaded_at < now() - interval '90 days'
      )
    )
    returning 1
  )

  select (select count(*) from old_runs)
    + (select count(*) from old_sessions)
    + (select count(*) from old_rejects)
    + (select count(*) from old_remarks);
$$;
comment on function ops.tidy_records() is
  'Job: deletes runs of jobs, sessions that opened no chart, and refused lines of imports, ninety days after their end; returns how many. Lends the worker the owner''s right to delete these.';

-- A run is opened in a transaction of its own and closed in the one that did the work. If the
-- worker dies between them the work is rolled back and the run stays open, which the next run sees.
create or replace function ops.start_job_run(job text)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  run_id bigint;
begin
  perform pg_advisory_xact_lock(hashtext('ops.job_runs'), hashtext(start_job_run.job));
  update ops.job_runs as r
  set outcome = 'abandoned'
  where r.job = start_job_run.job
    and r.outcome = 'running'
    -- Whoever still works on the job holds this lock, see finish_job_run.
    and pg_try_advisory_xact_lock(hashtext('ops.job_run'), r.id::integer);
  insert into ops.job_runs (job)
  values (start_job_run.job)
  returning id
  into run_id;
  return run_id;
end;
$$;
comment on function ops.start_job_run(text) is
  'Records that a job begins, marks runs that died as abandoned, and returns the key of the run. Lends the worker the owner''s right to write job runs.';

-- Before the transaction that does the work: a snapshot taken while another worker is still marking the
-- run as abandoned could not finish it.
create or replace function ops.enter_job_run(run_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_lock(hashtext('ops.job_run'), enter_job_run.run_id::integer);
$$;
comment on function ops.enter_job_run(bigint) is
  'Marks the connection as the one that does the work of a run, so that nobody takes the run for dead until it leaves it or is gone.';

create or replace function ops.leave_job_run(run_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_unlock(hashtext('ops.job_run'), leave_job_run.run_id::integer);
$$;
comment on function ops.leave_job_run(bigint) is
  'Marks the connection as one that works on the run no more.';

create or replace function ops.finish_job_run(run_id bigint, affected_rows bigint)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.job_runs as r
  set outcome = 'succeeded',
    finished_at = clock_timestamp(),
    affected_rows = finish_job_run.affected_rows
  where r.id = finish_job_run.run_id;
$$;
comment on function ops.finish_job_run(bigint, bigint) is
  'Records that a run succeeded, inside the transaction that did its work. Lends the worker the owner''s right to write job runs.';

create or replace function ops.fail_job_run(run_id bigint, error_code text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.job_runs as r
  set outcome = 'failed',
    finished_at = clock_timestamp(),
    error_code = fail_job_run.error_code
  where r.id = fail_job_run.run_id
    and r.outcome in ('running', 'abandoned');
$$;
comment on function ops.fail_job_run(bigint, text) is
  'Records that a run failed, with a code and never a text that could carry a patient''s data. Lends the worker the owner''s right to write job runs.';

-- The diary of the background jobs, which must also be right about jobs that died.
begin;
select no_plan();
alter table ops.job_runs alter column id restart;

select is(ops.start_job_run('a'), 1::bigint, 'A run gets a key.');
select results_eq(
  'select outcome, finished_at, affected_rows from ops.job_runs',
  $$ values ('running', null::timestamptz, null::bigint) $$,
  'A new run is running.'
);
select ops.enter_job_run(1);
select ops.finish_job_run(1, 7);
select results_eq(
  'select outcome, affected_rows, finished_at >= started_at, error_code from ops.job_runs where id = 1',
  $$ values ('succeeded', 7::bigint, true, null::text) $$,
  'A finished run counts its rows.'
);
select ops.start_job_run('a');
select ops.fail_job_run(2, '57014');
select results_eq(
  'select outcome, error_code, affected_rows from ops.job_runs where id = 2',
  $$ values ('failed', '57014', null::bigint) $$,
  'A failed run keeps its code.'
);
select ops.fail_job_run(1, '57014');
select is(outcome, 'succeeded', 'A run that succeeded cannot fail afterwards.')
from ops.job_runs
where id = 1;

select ops.start_job_run('a');
select ops.start_job_run('b');
select is(outcome, 'running', 'The start of another job says nothing about this one.')
from ops.job_runs
where id = 3;
select ops.start_job_run('a');
select results_eq(
  'select id, outcome from ops.job_runs where id >= 3 order by id',
  $$ values (3::bigint, 'abandoned'), (4, 'running'), (5, 'running') $$,
  'The next start of a job marks the run that died.'
);
select ops.finish_job_run(3, 0);
select is(outcome, 'succeeded', 'A run taken for dead that lives after all may still succeed.')
from ops.job_runs
where id = 3;

select is(
  tests.constraint_of('select ops.finish_job_run(4, null)'),
  'job_runs_success_counts_rows', 'Success without a count is refused.'
);
select is(
  tests.constraint_of('select ops.fail_job_run(4, null)'),
  'job_runs_failure_has_code', 'Failure without a code is refused.'
);
select is(
  tests.constraint_of($$update ops.job_runs set outcome = 'unheard of' where id = 4$$),
  'job_runs_outcome_known', 'An unknown outcome is refused.'
);
select is(
  tests.constraint_of($$update ops.job_runs set finished_at = now() where id = 4$$),
  'job_runs_finished_has_time', 'A running run has no end.'
);
select * from finish();
rollback;

-- What /metrics is told, as hospital_monitor is told it.
begin;
select no_plan();

create function pg_temp.figure(name text, label text default null)
returns double precision
language sql
as $$
  select f.value
  from (
    select * from ops.hospital_figures()
    union all
    select * from ops.server_figures()
  ) as f
  where f.name = figure.name
    and f.label is not distinct from figure.label;
$$;

-- ### In a hospital that has only just been set up
set local role hospital_monitor;
select is(pg_temp.figure('backup_last_timestamp_seconds'), 0::double precision, 'A backup that never was is as old as can be.');
select is(pg_temp.figure('backup_last_verified_timestamp_seconds'), 0::double precision, 'So is its verification,');
select is(pg_temp.figure('backup_drill_last_passed_timestamp_seconds'), 0::double precision, 'and a drill.');
select is(pg_temp.figure('backup_last_drill_passed'), null, 'A drill that never was has neither passed nor failed.');
select is(pg_temp.figure('audit_chain_holds'), null, 'Nor does a chain hold that nobody verified.');
select is(pg_temp.figure('warehouse_data_as_of_timestamp_seconds'), 0::double precision, 'What was never loaded is as stale as can be.');
select is(pg_temp.figure('alerts_open', 'stale_answers'), 0::double precision, 'Every kind of alert is told of, also when none is open.');
select ok(pg_temp.figure('database_size_bytes') > 1000000, 'The database has a size,');
select ok(pg_temp.figure('database_transaction_id_age') > 0, 'an age,');
select ok(pg_temp.figure('database_connections', 'active') >= 1, 'connections, this one among them,');
select ok(pg_temp.figure('database_connections_max') >= 10, 'and room for some more.');
select is(
  array(select f.label from ops.server_figures() as f where f.name = 'database_connections' order by f.label),
  '{active,idle,"idle in transaction",other}', 'Every state of a connection is always told of.'
);
select is(pg_temp.figure('queue_jobs', 'given_up'), 0::double precision, 'The queue of the worker is told of by how many wait.');
select is(
  array(
    select f.name || coalesce(' ' || f.label, '')
    from (select * from ops.hospital_figures() union all select * from ops.server_figures()) as f
    group by f.name, f.label
    having count(*) > 1
  ),
  '{}', 'No figure is told twice.'
);
reset role;

-- ### Runs of jobs
insert into ops.job_runs (job, started_at, finished_at, outcome, affected_rows, error_code)
values
  ('probe', '2026-11-20T10:00:00Z', '2026-11-20T10:00:05Z', 'failed', null, 'P0001'),
  ('probe', '2026-11-21T10:00:00Z', '2026-11-21T10:00:05Z', 'succeeded', 3, null),
  ('probe', '2026-11-22T10:00:00Z', '2026-11-22T10:00:05Z', 'failed', null, 'P0001'),
  ('probe', '2026-11-23T10:00:00Z', null, 'abandoned', null, null),
  ('probe', '2026-11-24T10:00:00Z', null, 'running', null, null),
  ('never', '2026-11-24T10:00:00Z', '2026-11-24T10:00:05Z', 'failed', null, 'P0001'),
  ('verify_audit_chain', '2026-11-20T10:00:00Z', '2026-11-20T10:00:05Z', 'failed', null, 'VERIF'),
  ('verify_audit_chain', '2026-11-21T10:00:00Z', '2026-11-21T10:00:05Z', 'failed', null, '57014');
set local role hospital_monitor;
select is(
  pg_temp.figure('job_last_success_timestamp_seconds', 'probe'),
  extract(epoch from timestamptz '2026-11-21T10:00:05Z')::double precision, 'Of a job the last success is told,'
);
select is(pg_temp.figure('job_failures_in_a_row', 'probe'), 2::double precision, 'and how often it failed or died since.');
select is(pg_temp.figure('job_last_success_timestamp_seconds', 'never'), 0::double precision, 'A job that never succeeded did so in 1970,');
select is(pg_temp.figure('job_failures_in_a_row', 'never'), 1::double precision, 'and every failure counts.');
select is(pg_temp.figure('audit_chain_holds'), 0::double precision, 'A verification that ran out of time does not hide what the one before it found.');
reset role;
insert into ops.job_runs (job, started_at, finished_at, outcome, affected_rows)
values ('verify_audit_chain', '2026-11-22T10:00:00Z', '2026-11-22T10:00:05Z', 'succeeded', 0);
set local role hospital_monitor;
select is(pg_temp.figure('audit_chain_holds'), 1::double precision, 'Until one succeeds.');
reset role;

-- ### Backups
insert into ops.backups (name, started_at, finished_at, server_version, timeline, start_lsn, end_lsn, bytes, stored_bytes, is_encrypted, verified_at, problems, removed_at)
values
  ('removed', '2026-11-24', '2026-11-24', '18.4', 1, '0/1', '0/2', 1, 1, true, '2026-11-24', 0, '2026-11-24'),
  ('damaged', '2026-11-23', '2026-11-23', '18.4', 1, '0/1', '0/2', 1, 1, true, '2026-11-23', 2, null),
  ('good', '2026-11-22', '2026-11-22', '18.4', 1, '0/1', '0/2', 1, 1, true, '2026-11-22', 0, null);
insert into ops.backup_drills (backup, started_at, finished_at, restore_seconds, passed, checks)
values
  ('good', '2026-11-22', '2026-11-22', 1, true, '[]'),
  ('damaged', '2026-11-23', '2026-11-23', 1, false, '[]');
set local role hospital_monitor;
select is(
  pg_temp.figure('backup_last_timestamp_seconds'), extract(epoch from timestamptz '2026-11-23')::double precision,
  'The last backup is the last that is still there,'
);
select is(
  pg_temp.figure('backup_last_verified_timestamp_seconds'), extract(epoch from timestamptz '2026-11-22')::double precision,
  'the last verified one is one without problems,'
);
select is(
  pg_temp.figure('backup_drill_last_passed_timestamp_seconds'), extract(epoch from timestamptz '2026-11-22')::double precision,
  'and a drill counts that passed,'
);
select is(pg_temp.figure('backup_last_drill_passed'), 0::double precision, 'while the last one is told to have failed.');
reset role;

-- ### The audit: what is not sealed yet
insert into hospital.facilities (name, time_zone) values ('Hill Hospital', 'UTC');
set local role hospital_monitor;
select ok(pg_temp.figure('audit_unsealed_since_timestamp_seconds') > 0, 'Before the first seal everything waits.');
select is(pg_temp.figure('audit_last_sealed_timestamp_seconds'), 0::double precision, 'Which never was.');
reset role;
select audit.seal_entries();
select ok(pg_temp.figure('audit_last_sealed_timestamp_seconds') > 0, 'A seal is told by its time.');
insert into hospital.facilities (name, time_zone) values ('Harbor Hospital', 'UTC');
set local role hospital_monitor;
select is(
  pg_temp.figure('audit_unsealed_since_timestamp_seconds'), extract(epoch from now())::double precision,
  'An entry that waits for its seal is told by its time.'
);
select is(
  array(
    select f.name
    from (select * from ops.hospital_figures() union all select * from ops.server_figures()) as f
    where f.value is null or f.name !~ '^[a-z_]+$' or f.label !~ '^[a-z0-9_ -]+$'
  ),
  '{}', 'Every figure has a value and a name that any monitoring system takes.'
);
reset role;

-- ### Which is not told to anybody
set local role hospital_worker;
select throws_ok('select * from ops.hospital_figures()', '42501', null, 'The worker is not told.');
reset role;
set local role hospital_administrator;
select throws_ok('select * from ops.server_figures()', '42501', null, 'Nor is a user of the API.');
reset role;
select * from finish();
rollback;

-- What a checkup is told: names, numbers and times, by functions that hospital_monitor alone may call.
begin;
select no_plan();

insert into ops.job_runs (job, started_at, outcome, finished_at, affected_rows)
values ('probe', now() - interval '3 hours', 'succeeded', now() - interval '3 hours', 0);
insert into ops.job_runs (job, started_at, outcome, finished_at, error_code)
values ('probe', now() - interval '2 hours', 'failed', now() - interval '2 hours', 'VERIF');
insert into ops.job_runs (job, started_at) values ('probe', now() - interval '1 hour');
insert into ops.backups (name, started_at, finished_at, server_version, timeline, start_lsn, end_lsn, bytes, stored_bytes, is_encrypted, removed_at)
values
  ('kept', now(), now(), '18.7', 1, '0/1', '0/2', 1, 1, true, null),
  ('removed', now(), now(), '18.7', 1, '0/1', '0/2', 1, 1, true, now());
insert into ops.backup_drills (backup, started_at, finished_at, restore_seconds, passed, checks)
values ('kept', now() - interval '2 days', now(), 1, true, '[]'), ('kept', now() - interval '1 day', now(), 1, false, '[]');
insert into ops.alerts (kind, closed_at)
values ('quality_patients_too_old', null), ('quality_notes_unsigned', now()), ('stale_answers', null);

set local role hospital_monitor;
select results_eq(
  $$ select r.last_started_at, r.ended_outcome, r.ended_error_code from ops.last_job_runs() as r where r.job = 'probe' $$,
  $$ values (now() - interval '1 hour', 'failed', 'VERIF') $$, 'When a job last began, and how the last run that has ended went.'
);
select results_eq('select b.name from ops.kept_backups() as b', array['kept'], 'What was removed is no backup.');
select results_eq('select d.passed from ops.last_drill() as d', array[false], 'The newest drill counts, also when it failed.');
select results_eq('select a.check_view from ops.open_quality_alerts() as a', array['quality_patients_too_old'], 'Of the record, what is open.');
select results_eq('select f.data_as_of, f.is_stale from ops.warehouse_freshness() as f', $$ values (null::timestamptz, true) $$, 'What was never loaded is stale.');
select isnt_empty('select from ops.applied_migrations()', 'The migrations are told,');
select isnt_empty($$ select from ops.sequence_positions() as s where s.sequence_name = 'ops.job_runs_id_seq' and s.last_value >= 3 $$, 'and how far sequences have come.');
reset role;

-- ### the seal
insert into hospital.facilities (name, time_zone) values ('Probe', 'UTC');
set local role hospital_monitor;
select isnt(ops.audit_unsealed_since(), null, 'An entry waits for its seal.');
reset role;
insert into audit.seals (block, era, month, sequences, entry_hashes, last_transaction_id, last_sequence, previous_hash, hash)
select 1 + coalesce(max(s.block), 0), (select max(e.era) from audit.eras as e), date_trunc('month', now())::date, '{1}', decode(repeat('00', 32), 'hex'),
  pg_current_xact_id(), 9223372036854775807, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex')
from audit.seals as s;
select is(ops.audit_unsealed_since(), null, 'Behind the last seal nothing waits.');

-- ### others
select is(
  array(
    select r.rolname || ' calls ' || f.oid::regproc
    from pg_catalog.pg_roles as r
    cross join pg_catalog.pg_proc as f
    where f.pronamespace = 'ops'::regnamespace
      and f.proname in (
        'last_job_runs', 'kept_backups', 'last_drill', 'open_quality_alerts', 'warehouse_freshness', 'applied_migrations', 'sequence_positions',
        'audit_unsealed_since'
      )
      and has_function_privilege(r.oid, f.oid, 'execute')
      and r.rolname ~ '^hospital_'
      and r.rolname not in ('hospital_monitor', 'hospital_owner')
  ),
  '{}', 'Nobody else is told.'
);
set local role hospital_monitor;
select is(tests.would_be(format('select from %s', relation)), '42501', 'The tables behind them stay closed: ' || relation)
from unnest(array['ops.job_runs', 'ops.backups', 'ops.alerts', 'ops.data_quality_results', 'audit.entries', 'graphile_migrate.migrations']) as relation;
reset role;
select * from finish();
rollback;

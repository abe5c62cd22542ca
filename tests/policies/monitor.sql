-- What hospital_monitor may not do, by attempts: it watches machines, and never a patient.
begin;
select no_plan();
select tests.world();
select set_config('role', 'hospital_monitor', true);
select throws_ok('select * from hospital.patients', '42501', null, 'No patient.');
select throws_ok('select * from hospital_private.accounts', '42501', null, 'No account.');
select throws_ok('select * from audit.entries', '42501', null, 'No entry of the audit, though it is told when the last was sealed.');
select throws_ok('select * from ops.job_runs', '42501', null, 'No run of a job, though it is told how the last ended.');
select throws_ok('select * from ops.backups', '42501', null, 'No list of backups.');
select throws_ok('select ops.seal_audit()', '42501', null, 'It runs no job.');
select throws_ok('select * from graphile_worker.jobs', '42501', null, 'It does not read the queue, though it is told how long it is.');
select throws_ok('select * from graphile_worker.queue_figures()', '42501', null, 'Not even its figures by themselves.');
select lives_ok('select * from ops.hospital_figures()', 'It reads the figures of the hospital,');
select lives_ok('select * from ops.server_figures()', 'those of the server,');
select lives_ok('select * from ops.table_health', 'how tables are doing,');
select lives_ok('select * from ops.index_use', 'how indexes are used,');
select lives_ok('select * from ops.statement_statistics', 'and what statements cost.');
-- A view answers with its reader's rights and no others.
select is(
  (select count(*) from ops.table_health where table_name = 'hospital.patients'), 1::bigint,
  'It is told of a table of patients,'
);
select throws_ok('table hospital.patients', '42501', null, 'and not what is in it.');
-- Planner statistics hold values of rows.
select is(
  (select count(*) from pg_stats where schemaname in ('hospital', 'hospital_private', 'audit')), 0::bigint,
  'The planner''s samples of patients'' rows are closed to it.'
);
select tests.clear_authentication();
select is(
  array(select g.rolname::text from pg_catalog.pg_auth_members as m join pg_catalog.pg_roles as g on g.oid = m.roleid
    join pg_catalog.pg_roles as r on r.oid = m.member where r.rolname = 'hospital_monitor'),
  '{pg_monitor}', 'It is a member of pg_monitor and of no role of ours.'
);
select is(
  array(
    select r.rolname || ' calls ' || f.oid::regproc
    from pg_catalog.pg_roles as r
    join pg_catalog.pg_proc as f
      on f.oid in ('ops.hospital_figures'::regproc, 'ops.server_figures'::regproc, 'ops.read_statement_statistics'::regproc)
      and has_function_privilege(r.oid, f.oid, 'execute')
    where r.rolname ~ '^hospital_'
      and r.rolname not in ('hospital_monitor', 'hospital_owner')
  ),
  '{}', 'Nobody else is told the figures.'
);
select * from finish();
rollback;

-- The list of backups in the database: hospital_backup writes it, through functions alone.
begin;
select no_plan();

create function pg_temp.backup(name text)
returns jsonb
language sql
as $$
  select jsonb_build_object(
    'name', backup.name, 'started_at', '2026-11-24T22:00:00Z', 'finished_at', '2026-11-24T22:01:00Z',
    'server_version', '18.4', 'timeline', 1, 'start_lsn', '0/2000028', 'end_lsn', '0/2000120',
    'bytes', 1000, 'stored_bytes', 100, 'is_encrypted', true
  );
$$;

-- ### hospital_backup
set local role hospital_backup;
select lives_ok($$ select ops.record_backup(pg_temp.backup('first')) $$, 'A backup is listed.');
select lives_ok($$ select ops.record_backup(pg_temp.backup('first')) $$, 'A second time changes nothing.');
select lives_ok($$ select ops.record_backup_verified('first', 2) $$, 'What a verification found is listed.');
select lives_ok($$ select ops.record_backup_removed('first') $$, 'That it was removed is listed.');
select lives_ok($$ select ops.record_backup_removed('unknown') $$, 'One that an older database does not know is no error.');
select lives_ok(
  $$ select ops.record_backup_drill(jsonb_build_object(
       'backup', 'unknown', 'started_at', '2026-11-24T22:00:00Z', 'finished_at', '2026-11-24T22:01:00Z',
       'restore_seconds', 5.1, 'passed', false, 'checks', jsonb_build_array()
     )) $$,
  'A drill is listed, also of a backup that this database does not know.'
);
select throws_ok(
  $$ insert into ops.backups select * from ops.backups $$, '42501', null,
  'Its tables it can only read.'
);
select throws_ok($$ delete from ops.backup_drills $$, '42501', null, 'It forgets no drill.');
select throws_ok(
  $$ select ops.record_backup(pg_temp.backup('late') || '{"started_at": "2026-11-25T00:00:00Z"}') $$, '23514', null,
  'A backup does not end before it began.'
);
reset role;

select results_eq(
  $$ select name, problems, verified_at is not null, removed_at is not null from ops.backups $$,
  $$ values ('first', 2, true, true) $$,
  'One row a backup, with what became of it.'
);
select results_eq(
  $$ select backup, passed, recovery_point from ops.backup_drills $$,
  $$ values ('unknown', false, null::timestamptz) $$,
  'One row a drill.'
);

-- ### everybody else
select is_empty(
  $$ select r.rolname
     from pg_roles as r
     where r.rolname ~ '^hospital_'
       and r.rolname not in ('hospital_owner', 'hospital_backup')
       and has_function_privilege(r.oid, 'ops.record_backup(jsonb)', 'execute') $$,
  'Nobody else lists a backup.'
);

select * from finish();
rollback;

-- Alerts about backups: the worker raises them from the list alone.
begin;
select no_plan();

create function pg_temp.open_alerts()
returns text[]
language sql
as $$
  select coalesce(array_agg(a.kind order by a.kind), '{}')
  from ops.alerts as a
  where a.kind like 'backup%'
    and a.closed_at is null;
$$;

create function pg_temp.backup(name text, age interval)
returns void
language sql
as $$
  insert into ops.backups (
    name, started_at, finished_at, server_version, timeline, start_lsn, end_lsn, bytes, stored_bytes, is_encrypted
  )
  values (
    backup.name, now() - backup.age - interval '1 minute', now() - backup.age, '18.4', 1, '0/2000028', '0/2000120', 1, 1, true
  );
$$;

select is(ops.check_backups(true), 0::bigint, 'A hospital that was never asked for a backup lacks none.');
insert into ops.job_runs (job, started_at) values ('nightly_backup', now() - interval '27 hours');
select is(ops.check_backups(false), 0::bigint, 'Where none is made every night, none is missing.');
select is(ops.check_backups(true), 1::bigint, 'One that was asked for a day ago and was never made is missing,');
select is(pg_temp.open_alerts(), array['backup_overdue'], 'by its name,');
select is(ops.check_backups(true), 0::bigint, 'once for the incident.');
select pg_temp.backup('of tonight', '25 hours');
select is(ops.check_backups(true), 1::bigint, 'One that is made closes it.');
select is(pg_temp.open_alerts(), '{}', 'Nothing is wrong now.');

select ops.record_backup_verified('of tonight', 1);
select is(ops.check_backups(true), 1::bigint, 'One that is found damaged raises another alert.');
select is(pg_temp.open_alerts(), array['backup_damaged'], 'That is what it says.');
select ops.record_backup_removed('of tonight');
select is(ops.check_backups(true), 2::bigint, 'When it is removed it is damaged no more, and missing.');
select is(pg_temp.open_alerts(), array['backup_overdue'], 'So the night lacks its backup.');
select is(ops.check_backups(false), 1::bigint, 'Whoever gives nightly backups up is alerted no longer.');

select * from finish();
rollback;

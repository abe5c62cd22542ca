-- The commands that work on backups log in as hospital_backup, which reads everything and writes nothing but this.
create or replace function ops.record_backup(backup jsonb)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.backups (
    name, started_at, finished_at, server_version, timeline, start_lsn, end_lsn, bytes, stored_bytes, is_encrypted
  )
  select
    b.name,
    b.started_at,
    b.finished_at,
    b.server_version,
    b.timeline,
    b.start_lsn,
    b.end_lsn,
    b.bytes,
    b.stored_bytes,
    b.is_encrypted
  from jsonb_populate_record(null::ops.backups, record_backup.backup) as b
  on conflict (name) do nothing;
$$;
comment on function ops.record_backup(jsonb) is
  'Records a backup that is whole in its repository. Lends hospital_backup the owner''s right to write the list of backups.';

create or replace function ops.record_backup_verified(name text, problems integer)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.backups as b
  set verified_at = clock_timestamp(),
    problems = record_backup_verified.problems
  where b.name = record_backup_verified.name;
$$;
comment on function ops.record_backup_verified(text, integer) is
  'Records that a backup was read to its last byte, and how much of it was not as written. Lends hospital_backup the owner''s right to write the list of backups.';

create or replace function ops.record_backup_removed(name text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  update ops.backups as b
  set removed_at = clock_timestamp()
  where b.name = record_backup_removed.name
    and b.removed_at is null;
$$;
comment on function ops.record_backup_removed(text) is
  'Records that a backup is no longer in its repository. Lends hospital_backup the owner''s right to write the list of backups.';

create or replace function ops.record_backup_drill(drill jsonb)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  insert into ops.backup_drills (backup, started_at, finished_at, restore_seconds, recovery_point, passed, checks)
  select
    d.backup,
    d.started_at,
    d.finished_at,
    d.restore_seconds,
    d.recovery_point,
    d.passed,
    d.checks
  from jsonb_populate_record(null::ops.backup_drills, record_backup_drill.drill) as d;
$$;
comment on function ops.record_backup_drill(jsonb) is
  'Records a drill and what it found. Lends hospital_backup the owner''s right to write the list of drills.';

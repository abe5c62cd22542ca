-- What backups and drills there were, for whoever watches the database. The repository knows it too, and alone
-- when the database is gone: these tables are a copy, and nothing restores by them.

create table ops.backups (
  name           text        primary key,
  started_at     timestamptz not null,
  finished_at    timestamptz not null,
  server_version text        not null,
  timeline       integer     not null,
  start_lsn      pg_lsn      not null,
  end_lsn        pg_lsn      not null,
  bytes          bigint      not null,
  stored_bytes   bigint      not null,
  is_encrypted   boolean     not null,
  verified_at    timestamptz ,
  problems       integer     ,
  removed_at     timestamptz ,
  constraint backups_in_order check (started_at <= finished_at and start_lsn <= end_lsn),
  constraint backups_verified_counts_problems check ((verified_at is null) = (problems is null))
);
create index backups_finished_at_idx on ops.backups (finished_at);
comment on table ops.backups is 'Every backup that was made of this cluster, as its repository says; a restored database knows those made before its own.';
comment on column ops.backups.name is 'The name of the backup in the repository, the moment it began.';
comment on column ops.backups.started_at is 'When the backup began.';
comment on column ops.backups.finished_at is 'When the backup was whole.';
comment on column ops.backups.server_version is 'The version of PostgreSQL that was copied.';
comment on column ops.backups.timeline is 'The timeline of the log the backup is on.';
comment on column ops.backups.start_lsn is 'The place in the log from which recovery must replay.';
comment on column ops.backups.end_lsn is 'The place in the log at which the backup is consistent.';
comment on column ops.backups.bytes is 'How large its content is.';
comment on column ops.backups.stored_bytes is 'How large it is in the repository.';
comment on column ops.backups.is_encrypted is 'Whether a key is needed to read it.';
comment on column ops.backups.verified_at is 'When it was last read to its last byte, or null.';
comment on column ops.backups.problems is 'How many things were not as written then, or null.';
comment on column ops.backups.removed_at is 'When it was removed because newer ones had taken its place, or null.';

create table ops.backup_drills (
  id              bigint      generated always as identity primary key,
  backup          text        not null,
  started_at      timestamptz not null,
  finished_at     timestamptz not null,
  restore_seconds numeric     not null,
  recovery_point  timestamptz,
  passed          boolean     not null,
  checks          jsonb       not null,
  constraint backup_drills_in_order check (started_at <= finished_at),
  constraint backup_drills_checks_are_a_list check (jsonb_typeof(checks) = 'array')
);
create index backup_drills_finished_at_idx on ops.backup_drills (finished_at);
comment on table ops.backup_drills is 'Every drill: a backup restored into a scratch cluster, checked and timed.';
comment on column ops.backup_drills.id is 'The key of the drill.';
comment on column ops.backup_drills.backup is 'The name of the backup that was restored.';
comment on column ops.backup_drills.started_at is 'When the drill began.';
comment on column ops.backup_drills.finished_at is 'When its last check ended.';
comment on column ops.backup_drills.restore_seconds is 'How long it took from nothing to a server that takes writes.';
comment on column ops.backup_drills.recovery_point is 'The last commit that was restored, or null where none was replayed.';
comment on column ops.backup_drills.passed is 'Whether every check held.';
comment on column ops.backup_drills.checks is 'The checks: each with its name, whether it held, what was found and how long it took.';

-- What `infirmary checkup` asks of the hospital as hospital_monitor, who may read none of these tables himself.
create or replace function ops.applied_migrations()
returns table (filename text, hash text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select
    m.filename,
    m.hash
  from graphile_migrate.migrations as m
  order by m.filename;
end;
$$;
comment on function ops.applied_migrations() is
  'The migrations that this database has had, oldest first. Lends hospital_monitor the owner''s right to read them.';

create or replace function ops.sequence_positions()
returns table (sequence_name text, last_value bigint, max_value bigint)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    format('%I.%I', s.schemaname, s.sequencename),
    s.last_value,
    s.max_value
  from pg_catalog.pg_sequences as s
  where s.schemaname in (
      'hospital', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
    )
    and s.last_value is not null
    and not s.cycle;
$$;
comment on function ops.sequence_positions() is
  'How far each sequence of ours that has begun has come. Lends hospital_monitor the owner''s right to read them.';

create or replace function ops.audit_unsealed_since()
returns timestamptz
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  era as (
    select max(r.era) as era
    from audit.eras as r
  ),
  last as (
    select
      l.last_transaction_id,
      l.last_sequence
    from era as r
    join audit.seals as l
      on l.era = r.era
    order by l.block desc
    limit 1
  )
  select min(e.recorded_at)
  from audit.entries as e
  where e.era = (select r.era from era as r)
    -- Two values and no row, so that the index is used.
    and (e.transaction_id, e.sequence) > (
      coalesce((select l.last_transaction_id from last as l), '0'),
      coalesce((select l.last_sequence from last as l), 0)
    );
$$;
comment on function ops.audit_unsealed_since() is
  'Since when the oldest entry of the audit waits for its seal, or null. Lends hospital_monitor the owner''s right to read the audit.';

create or replace function ops.warehouse_freshness()
returns table (data_as_of timestamptz, is_stale boolean)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    l.data_as_of,
    warehouse.is_stale(l.data_as_of)
  from (
    select min(s.data_as_of) as data_as_of
    from warehouse.view_states as s
  ) as l;
$$;
comment on function ops.warehouse_freshness() is
  'As of when the answers of analytics are and whether that is too old. Lends hospital_monitor the owner''s right to read when they were refreshed.';

create or replace function ops.last_job_runs()
returns table (
  job text,
  last_started_at timestamptz,
  ended_started_at timestamptz,
  ended_outcome text,
  ended_error_code text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    j.job,
    j.last_started_at,
    e.started_at,
    e.outcome,
    e.error_code
  from (
    select
      r.job,
      max(r.started_at) as last_started_at
    from ops.job_runs as r
    group by r.job
  ) as j
  left join lateral (
    select
      r.started_at,
      r.outcome,
      r.error_code
    from ops.job_runs as r
    where r.job = j.job
      and r.outcome <> 'running'
    order by
      r.started_at desc,
      r.id desc
    limit 1
  ) as e
    on true;
$$;
comment on function ops.last_job_runs() is
  'Of each job when it last began, and how the newest run that has ended went. Lends hospital_monitor the owner''s right to read the runs.';

create or replace function ops.kept_backups()
returns table (name text, finished_at timestamptz, verified_at timestamptz, problems integer)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    b.name,
    b.finished_at,
    b.verified_at,
    b.problems
  from ops.backups as b
  where b.removed_at is null;
$$;
comment on function ops.kept_backups() is
  'The backups that are in their repository, as far as this database was told. Lends hospital_monitor the owner''s right to read the list.';

create or replace function ops.last_drill()
returns table (started_at timestamptz, passed boolean)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    d.started_at,
    d.passed
  from ops.backup_drills as d
  order by d.started_at desc
  limit 1;
$$;
comment on function ops.last_drill() is
  'The newest drill, if there was any. Lends hospital_monitor the owner''s right to read the list.';

create or replace function ops.open_quality_alerts()
returns table (check_view text, description text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select
    a.kind,
    k.description
  from ops.alerts as a
  join ops.alert_kinds as k
    on k.code = a.kind
  where a.closed_at is null
    and a.kind like 'quality\_%'
  order by a.kind;
$$;
comment on function ops.open_quality_alerts() is
  'The checks of the record that found more than is acknowledged, by their views. Lends hospital_monitor the owner''s right to read the alerts.';

create or replace function ops.consumer_readers()
returns table (reader text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct c.reader
  from ops.change_consumers as c;
$$;
comment on function ops.consumer_readers() is
  'The roles that read changes for registered consumers. Lends hospital_monitor the owner''s right to read the consumers.';

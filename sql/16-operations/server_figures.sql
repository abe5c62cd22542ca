-- As hospital_monitor itself, whose membership of pg_monitor opens the server's own statistics. On a standby too.
create or replace function ops.server_figures()
returns setof ops.figure
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  here constant pg_lsn := case
    when pg_is_in_recovery() then pg_last_wal_replay_lsn()
    else pg_current_wal_lsn()
  end;
begin
  return query
  select
    f.name,
    null::text,
    f.value::double precision
  from pg_stat_database as d
  join pg_database as b
    on b.oid = d.datid
  cross join lateral (
    values
      ('database_size_bytes', pg_database_size(d.datid)),
      ('database_commits_total', d.xact_commit),
      ('database_rollbacks_total', d.xact_rollback),
      ('database_blocks_hit_total', d.blks_hit),
      ('database_blocks_read_total', d.blks_read),
      ('database_deadlocks_total', d.deadlocks),
      ('database_temp_bytes_total', d.temp_bytes),
      ('database_checksum_failures_total', coalesce(d.checksum_failures, 0)),
      ('database_transaction_id_age', age(b.datfrozenxid)::bigint),
      ('database_multixact_age', mxid_age(b.datminmxid)::bigint)
  ) as f (name, value)
  where d.datname = current_database();

  return query
  select
    f.name,
    f.label,
    f.value::double precision
  from (
    values
      ('database_connections_max', null, current_setting('max_connections')::numeric),
      ('database_in_recovery', null, pg_is_in_recovery()::integer),
      ('database_started_timestamp_seconds', null, extract(epoch from pg_postmaster_start_time()))
  ) as f (name, label, value);

  -- Every state is always there: a rule on one that is missing would never speak.
  return query
  select
    'database_connections',
    s.state,
    count(a.pid)::double precision
  from unnest(array['active', 'idle', 'idle in transaction', 'other']) as s (state)
  left join pg_stat_activity as a
    on a.backend_type = 'client backend'
    and s.state = case
      when a.state in ('active', 'idle', 'idle in transaction') then a.state
      else 'other'
    end
  group by s.state;

  return query
  select
    f.name,
    null::text,
    f.value::double precision
  from (
    select
      count(*) filter (where a.wait_event_type = 'Lock') as waiting,
      -- Of clients: the server's own senders and launchers have none, or one for ever.
      max(extract(epoch from clock_timestamp() - a.xact_start))
        filter (where a.backend_type = 'client backend') as oldest
    from pg_stat_activity as a
    where a.pid <> pg_backend_pid()
  ) as a
  cross join lateral (
    values
      ('database_waiting_for_locks', a.waiting::numeric),
      ('database_oldest_transaction_seconds', coalesce(a.oldest, 0))
  ) as f (name, value);

  return query
  select
    f.name,
    s.slot_name::text,
    f.value::double precision
  from pg_replication_slots as s
  cross join lateral (
    values
      ('replication_slot_retained_bytes', greatest(pg_wal_lsn_diff(here, s.restart_lsn), 0)),
      ('replication_slot_active', s.active::integer),
      ('replication_slot_lost', (s.wal_status = 'lost')::integer)
  ) as f (name, value)
  -- A temporary one ends with its connection, and a new one has kept nothing yet.
  where not s.temporary
    and f.value is not null;

  return query
  select
    f.name,
    r.application_name,
    f.value::double precision
  from (
    select
      r.application_name,
      max(pg_wal_lsn_diff(here, r.replay_lsn)) as bytes,
      max(extract(epoch from r.replay_lag)) as seconds,
      bool_or(r.sync_state in ('sync', 'quorum')) as is_synchronous
    from pg_stat_replication as r
    group by r.application_name
  ) as r
  cross join lateral (
    values
      ('replication_lag_bytes', greatest(r.bytes, 0)),
      ('replication_lag_seconds', coalesce(r.seconds, 0)),
      ('replication_synchronous', r.is_synchronous::integer)
  ) as f (name, value)
  where f.value is not null;

  if pg_is_in_recovery() then
    return query
    select
      'database_last_replayed_timestamp_seconds',
      null::text,
      coalesce(extract(epoch from pg_last_xact_replay_timestamp()), 0)::double precision;
  else
    return query
    select
      'replication_standbys',
      null::text,
      -- Those that receive the log for backups, or into another database, follow no one.
      count(*)::double precision
    from pg_stat_replication as r
    left join pg_replication_slots as s
      on s.active_pid = r.pid
    where r.state = 'streaming'
      and r.replay_lsn is not null
      and s.slot_type is distinct from 'logical';
  end if;

  return query
  select
    f.name,
    null::text,
    f.value::double precision
  from pg_stat_archiver as a
  cross join lateral (
    values
      ('wal_archived_last_timestamp_seconds', coalesce(extract(epoch from a.last_archived_time), 0)),
      ('wal_archive_failing', (a.last_failed_time > coalesce(a.last_archived_time, '-infinity'))::integer)
  ) as f (name, value)
  where current_setting('archive_mode') <> 'off'
    and f.value is not null;
end;
$$;
comment on function ops.server_figures() is
  'Figures about the server: connections, transactions, locks, replication and the log. Of other databases of the server only what connects to it is counted.';

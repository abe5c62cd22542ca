-- A slot keeps the log for somebody. Who does not come back fills the disk, or has lost the log already.
select
  format(
    'Nobody reads the replication slot %s%s.',
    s.slot_name,
    case
      when s.wal_status in ('unreserved', 'lost') then ', and its log is going or gone'
      else ', which keeps ' || pg_size_pretty(pg_current_wal_lsn() - s.restart_lsn) || ' of the log'
    end
  ) as problem,
  format('Start who reads it, or: select pg_drop_replication_slot(%L)', s.slot_name) as remedy
from pg_replication_slots as s
where not pg_is_in_recovery()
  and not s.active
  and (
    s.wal_status in ('unreserved', 'lost')
    or pg_current_wal_lsn() - s.restart_lsn > 1024 * 1024 * 1024
  )

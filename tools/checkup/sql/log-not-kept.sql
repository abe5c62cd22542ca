-- Without the log since the last backup, what happened since is lost with the disk.
select
  'Nobody keeps the log: after a loss, only whole backups can be restored.' as problem,
  'BACKUP_WAL=on for the worker, or: infirmary backup receive' as remedy
where current_setting('archive_mode') = 'off'
  and not exists (
    select
    from pg_replication_slots as s
    where s.slot_name = 'infirmary_backup'
      and s.active
  )
  and not pg_is_in_recovery()

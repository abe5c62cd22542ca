-- The worker makes one a night, so the newest is a day old at most.
select
  coalesce(
    'The newest backup is of ' || date_trunc('second', max(b.finished_at)) || '.',
    'There is no backup.'
  ) as problem,
  'infirmary backup create; every night: BACKUP_NIGHTLY=on for the worker' as remedy
from ops.kept_backups() as b
having coalesce(max(b.finished_at), '-infinity') < clock_timestamp() - interval '26 hours'

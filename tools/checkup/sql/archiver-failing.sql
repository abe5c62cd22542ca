-- PostgreSQL keeps what could not be archived until its disk is full.
select
  format(
    'The log is not archived: %s failed at %s.',
    a.last_failed_wal,
    date_trunc('second', a.last_failed_time)
  ) as problem,
  'Run archive_command by hand for that file and see what it says' as remedy
from pg_stat_archiver as a
where a.last_failed_time > coalesce(a.last_archived_time, '-infinity')

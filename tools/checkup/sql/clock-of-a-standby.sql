-- A standby stamps what it answers with its own clock. One that is behind may only have been silent, so only one
-- that is ahead is sure to be wrong.
select
  format(
    'The clock of the standby %s is %s ahead of this server''s.',
    coalesce(host(r.client_addr), r.application_name),
    date_trunc('second', r.reply_time - clock_timestamp())
  ) as problem,
  'On both machines: timedatectl set-ntp true' as remedy
from pg_stat_replication as r
where r.reply_time > clock_timestamp() + interval '2 seconds'

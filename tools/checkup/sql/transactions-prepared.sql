-- Nobody of ours prepares transactions. One that its coordinator forgot holds locks across every restart.
select
  format(
    'The prepared transaction %L of %s waits since %s.',
    p.gid,
    p.owner,
    date_trunc('second', p.prepared)
  ) as problem,
  format('In the database %I: rollback prepared %L', p.database, p.gid) as remedy
from pg_prepared_xacts as p
where p.prepared < clock_timestamp() - interval '5 minutes'

-- While a transaction is open, no row that it might see is cleared away, and no audit entry after it is sealed.
select
  format(
    'Process %s of %s has a transaction open for %s (%s).',
    a.pid,
    a.usename,
    date_trunc('second', clock_timestamp() - a.xact_start),
    a.state
  ) as problem,
  format('select pg_terminate_backend(%s)', a.pid) as remedy
from pg_stat_activity as a
where a.backend_type = 'client backend'
  and a.pid <> pg_backend_pid()
  and (
    a.state like 'idle in transaction%'
    and a.state_change < clock_timestamp() - interval '5 minutes'
    or a.xact_start < clock_timestamp() - interval '2 hours'
  )

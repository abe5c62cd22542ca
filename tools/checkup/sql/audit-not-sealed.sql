-- The worker seals every minute. A transaction that is left open holds it up.
select
  format(
    'Entries of the audit wait for their seal since %s.',
    date_trunc('second', u.since)
  ) as problem,
  'See that a worker runs and no transaction is left open; then: infirmary work --once' as remedy
from ops.audit_unsealed_since() as u (since)
where u.since < clock_timestamp() - interval '15 minutes'

-- Checks of the record itself that have become worse than an administrator has acknowledged.
select
  format('Data quality: %s', k.description) as problem,
  format(
    'select row_key from ops.%I where is_wrong, as hospital_owner; or acknowledge it over the API',
    k.code
  ) as remedy
from ops.alerts as a
join ops.alert_kinds as k
  on k.code = a.kind
where a.closed_at is null
  and a.kind like 'quality\_%'

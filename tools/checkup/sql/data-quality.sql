-- Checks of the record itself that have become worse than an administrator has acknowledged.
select
  a.description as problem,
  format(
    'As hospital_owner: select row_key from ops.%I where is_wrong; or acknowledge it over the API',
    a.check_view
  ) as remedy
from ops.open_quality_alerts() as a

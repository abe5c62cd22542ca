-- By the limit that warehouse.view_settings states.
select
  coalesce(
    'The answers of analytics are as of ' || date_trunc('second', f.data_as_of) || '.',
    'The warehouse was never loaded.'
  ) as problem,
  'See that a worker runs; then: infirmary etl run' as remedy
from ops.warehouse_freshness() as f
where f.is_stale

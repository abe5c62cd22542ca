-- Counted without the loader's help. What changed since the last load is not held against it.
create or replace view ops.quality_warehouse_differs
with (security_invoker = true) as
select
  coalesce(v.id, f.visit_id) as row_key,
  (v.id is not null and v.voided_at is null) <> (f.visit_id is not null) as is_wrong
from hospital.visits as v
full join warehouse.fact_visits as f
  on f.visit_id = v.id
where exists (
  select
  from warehouse.load_state as s
  where coalesce(v.updated_at, '-infinity') < s.data_as_of
);
call ops.define_quality_check(
  'warehouse_differs', 'critical', 'hospital.visits',
  'Visits that the warehouse lacks, or has and should not.',
  'See what differs and mend it: infirmary etl verify, then infirmary etl run --full.'
);

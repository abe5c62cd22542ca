-- Usual is the median, which a few wrong ones do not move. Of fewer than twenty nothing is usual.
create or replace view ops.quality_treatments_of_unusual_cost
with (security_invoker = true) as
with
usual as (
  select
    t.type,
    percentile_cont(0.5) within group (order by t.cost) as cost
  from hospital.treatments as t
  where t.voided_at is null
  group by t.type
  having count(*) >= 20
)
select
  t.id as row_key,
  t.cost > 10 * u.cost and t.cost > 100 as is_wrong
from hospital.treatments as t
join usual as u
  on u.type = t.type
where t.voided_at is null;
call ops.define_quality_check(
  'treatments_of_unusual_cost', 'warning', 'hospital.treatments',
  'Treatments that cost more than ten times what is usual for their type.',
  'Look for a decimal point in the wrong place.'
);

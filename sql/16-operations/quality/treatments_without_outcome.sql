create or replace view ops.quality_treatments_without_outcome
with (security_invoker = true) as
select
  t.id as row_key,
  t.outcome is null as is_wrong
from hospital.treatments as t
where t.voided_at is null
  and t.started_at < now() - interval '90 days';
call ops.define_quality_check(
  'treatments_without_outcome', 'notice', 'hospital.treatments',
  'Treatments without an outcome ninety days after they began.',
  'Ask for the outcome at the next visit: which treatments help is counted from it.'
);

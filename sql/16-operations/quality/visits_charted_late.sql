create or replace view ops.quality_visits_charted_late
with (security_invoker = true) as
select
  v.id as row_key,
  v.created_at > coalesce(v.ended_at, v.started_at) + interval '2 days' as is_wrong
from hospital.visits as v
where v.voided_at is null
  and v.started_at > now() - interval '90 days';
call ops.define_quality_check(
  'visits_charted_late', 'notice', 'hospital.visits',
  'Visits of the last ninety days that were written down more than two days after their end.',
  'Ask why: what is written from memory is less true.'
);

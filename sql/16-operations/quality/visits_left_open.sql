create or replace view ops.quality_visits_left_open
with (security_invoker = true) as
select
  v.id as row_key,
  v.ended_at is null as is_wrong
from hospital.visits as v
where v.voided_at is null
  and v.started_at < now() - interval '1 day';
call ops.define_quality_check(
  'visits_left_open', 'warning', 'hospital.visits',
  'Visits that have not ended a day after they began.',
  'Ask their doctors to end them: waiting times and reports leave them out.'
);

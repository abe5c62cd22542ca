-- A death is known by the day, and a day begins at different times: one is allowed for.
create or replace view ops.quality_visits_after_death
with (security_invoker = true) as
select
  v.id as row_key,
  coalesce((v.started_at at time zone 'UTC')::date > p.deceased_on + 1, false) as is_wrong
from hospital.visits as v
join hospital.patients as p
  on p.id = v.patient_id
where v.voided_at is null;
call ops.define_quality_check(
  'visits_after_death', 'critical', 'hospital.visits',
  'Visits that began more than a day after the patient had died.',
  'One of the two is wrong, or the chart is another patients.'
);

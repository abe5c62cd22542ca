-- What is past is recorded as it happened, so the exclusion constraints let go of it.
create or replace view ops.quality_appointments_at_once
with (security_invoker = true) as
select
  a.id as row_key,
  coalesce(
    a.starts_at < max(a.ends_at) over (
      partition by a.patient_id
      order by
        a.starts_at,
        a.id
      rows between unbounded preceding and 1 preceding
    ),
    false
  ) as is_wrong
from hospital.appointments as a
where a.status = 'completed';
call ops.define_quality_check(
  'appointments_at_once', 'notice', 'hospital.appointments',
  'Completed appointments that began before another of the same patient had ended.',
  'See which of the two took place: one of the times, or of the patients, is wrong.'
);

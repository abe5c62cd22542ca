create or replace view ops.quality_appointments_left_open
with (security_invoker = true) as
select
  a.id as row_key,
  a.status in ('scheduled', 'checked_in', 'in_progress') as is_wrong
from hospital.appointments as a
where a.ends_at < now() - interval '1 day'
  and a.status <> 'held';
call ops.define_quality_check(
  'appointments_left_open', 'warning', 'hospital.appointments',
  'Appointments that are scheduled, checked in or in progress a day after their end.',
  'Complete them, or say that the patient did not come.'
);

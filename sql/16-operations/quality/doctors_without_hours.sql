create or replace view ops.quality_doctors_without_hours
with (security_invoker = true) as
select
  d.id as row_key,
  not exists (
    select
    from hospital.doctor_schedules as s
    where s.doctor_id = d.id
      and coalesce(upper(s.effective), 'infinity') > now()::date
  ) and not exists (
    select
    from hospital.doctor_extra_sessions as e
    where e.doctor_id = d.id
      and e.ends_at > now()
  ) as is_wrong
from hospital.doctors as d
where d.is_active;
call ops.define_quality_check(
  'doctors_without_hours', 'warning', 'hospital.doctors',
  'Active doctors with no working hours, now or later.',
  'Enter their hours, or deactivate them: nobody can book them.'
);

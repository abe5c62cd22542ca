-- The roster of duty as a list. A policy that showed it beside a doctor's own calendar would join the two by
-- OR, and the calendar would lose its index.
create or replace function hospital.department_today()
returns setof hospital.appointments
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select a.*
  from hospital_private.current_viewer() as v
  cross join lateral hospital_private.department_day(v.department_id) as a
  where v.role = 'doctor'
    and hospital_private.is_on_duty(v.doctor_id)
  order by
    a.starts_at,
    a.id;
$$;
comment on function hospital.department_today() is
  'The department''s appointments of this local day and those in progress, for a doctor on duty there; nothing for anybody else. Lends the owner''s right to read colleagues'' calendars for this one question.';

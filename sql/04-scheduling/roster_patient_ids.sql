-- The patients of whoever asks: a doctor's by his own appointments, other staff's by their
-- department's. A time that is only held, perhaps for somebody who has not asked for it, makes nobody a
-- patient of anybody. Called once per statement, as = any (array(select …)).
create or replace function hospital_private.roster_patient_ids()
returns setof bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select distinct a.patient_id
  from hospital.appointments as a
  where a.doctor_id = (select hospital_private.current_doctor_id())
    and a.status not in ('held', 'cancelled', 'lapsed')
  union
  select distinct a.patient_id
  from hospital.appointments as a
  where a.department_id = (select hospital_private.current_department_id())
    and (select hospital_private.session_has_role('staff'))
    and a.status not in ('held', 'cancelled', 'lapsed');
$$;
comment on function hospital_private.roster_patient_ids() is
  'The keys of the patients on the roster of the live session. Lends the owner''s right to read appointments for this one question.';

-- Whose patients they are. A time that is only held, perhaps for somebody who has not asked for it, and
-- one that was called off make nobody a patient of anybody. Each is called once per statement, as
-- = any (array(select …)).

create or replace function hospital_private.patients_of_doctor(doctor_id bigint)
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select a.patient_id
  from hospital.appointments as a
  where a.doctor_id = patients_of_doctor.doctor_id
    and a.status not in ('held', 'cancelled', 'lapsed')
  union
  select v.patient_id
  from hospital.visits as v
  where v.doctor_id = patients_of_doctor.doctor_id
    and v.voided_at is null;
end;
$$;
comment on function hospital_private.patients_of_doctor(bigint) is
  'The records with which a doctor has an appointment or a visit.';

-- A doctor books these alone: through anybody else on the roster, which is for a day or for an emergency,
-- he would take him onto it for good.
create or replace function hospital_private.doctor_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  me constant bigint := hospital_private.current_doctor_id();
begin
  return query
  select hospital_private.same_person_ids(
    array(select hospital_private.patients_of_doctor(me))
  );
end;
$$;
comment on function hospital_private.doctor_patient_ids() is
  'The keys of all records of the patients with an appointment or a visit with the doctor of the live session. Lends the owner''s right to read appointments for this one question.';

create or replace function hospital_private.is_on_duty(doctor_id bigint)
returns boolean
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
begin
  return exists (
    select
    from hospital_private.working_shifts(
      array[is_on_duty.doctor_id],
      tstzrange(moment, moment, '[]')
    )
  );
end;
$$;
comment on function hospital_private.is_on_duty(bigint) is
  'Whether the doctor works at this moment, by the hours in the calendar.';

-- Narrow on purpose: a department's patients are hundreds of thousands over the years, and who has duty
-- needs those who are here today.
create or replace function hospital_private.department_day(department_id bigint)
returns setof hospital.appointments
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select a.*
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  cross join lateral (
    select date_trunc('day', clock_timestamp() at time zone f.time_zone) as midnight
  ) as today
  join hospital.appointments as a
    on a.department_id = d.id
    and a.starts_at >= today.midnight at time zone f.time_zone
    and a.starts_at < (today.midnight + interval '1 day') at time zone f.time_zone
    and a.status not in ('held', 'cancelled', 'lapsed', 'in_progress')
  where d.id = department_day.department_id
  union all
  select a.*
  from hospital.appointments as a
  where a.department_id = department_day.department_id
    and a.status = 'in_progress';
end;
$$;
comment on function hospital_private.department_day(bigint) is
  'The appointments of the department on this local day, and those in progress.';

create or replace function hospital_private.patients_treated_by(viewer hospital_private.viewer)
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if viewer.role = 'doctor' then
    return query
    select hospital_private.patients_of_doctor(viewer.doctor_id);
    if hospital_private.is_on_duty(viewer.doctor_id) then
      return query
      select a.patient_id
      from hospital_private.department_day(viewer.department_id) as a;
    end if;
  elsif viewer.role = 'nurse' then
    return query
    select distinct a.patient_id
    from hospital.appointments as a
    where a.department_id = viewer.department_id
      and a.starts_at
        > clock_timestamp() - (select r.nurse_roster from hospital_private.privacy_rules as r)
      and a.status not in ('held', 'cancelled', 'lapsed');
  end if;
end;
$$;
comment on function hospital_private.patients_treated_by(hospital_private.viewer) is
  'The records of which a doctor or nurse treats somebody: a doctor''s own and, on duty, the department''s of the day; a nurse''s department''s of late and to come.';

create or replace function hospital_private.treated_patient_ids()
returns setof bigint
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
begin
  return query
  select hospital_private.same_person_ids(
    array(select hospital_private.patients_treated_by(viewer))
  );
end;
$$;
comment on function hospital_private.treated_patient_ids() is
  'The keys of all records of the patients whom the live session''s doctor or nurse treats.';

create or replace function hospital_private.roster_patient_ids()
returns setof bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer := hospital_private.current_viewer();
  -- Not the statement's time: one statement of a client may be many of ours, and long.
  moment constant timestamptz := clock_timestamp();
begin
  if viewer.role in ('doctor', 'nurse') then
    return query
    select hospital_private.same_person_ids(
      array(
        select hospital_private.patients_treated_by(viewer)
        union all
        select g.patient_id
        from hospital.break_glass_grants as g
        where g.account_id = viewer.account_id
          and g.in_force @> moment
        union all
        select c.patient_id
        from hospital.consents as c
        join hospital.consent_scopes as s
          on s.code = c.scope
          and s.decision = 'permit'
        where c.staff_member_id = viewer.staff_member_id
          and c.in_force @> moment
      )
    );
  end if;
end;
$$;
comment on function hospital_private.roster_patient_ids() is
  'The keys of the patients on the roster of the live session: those it treats, and whom an emergency access or the patient''s permission adds for its time. Lends the owner''s right to read grants and consents for this one question.';

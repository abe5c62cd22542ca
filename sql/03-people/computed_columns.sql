-- What is derived is not stored: names as shown, ages, years of practice.
create or replace function hospital.patients_full_name(patient hospital.patients)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select patient.given_name || ' ' || patient.family_name;
$$;
comment on function hospital.patients_full_name(hospital.patients) is
  'The given and the family name.';

create or replace function hospital.patients_age(patient hospital.patients)
returns integer
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select extract(
    year from age(
      coalesce(
        patient.deceased_on,
        (now() at time zone coalesce(patient.time_zone, 'UTC'))::date
      ),
      patient.date_of_birth
    )
  )::integer;
$$;
comment on function hospital.patients_age(hospital.patients) is
  'The age in completed years, today or at death.';

create or replace function hospital.staff_members_full_name(staff_member hospital.staff_members)
returns text
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select staff_member.given_name || ' ' || staff_member.family_name;
$$;
comment on function hospital.staff_members_full_name(hospital.staff_members) is
  'The given and the family name.';

-- Called once per row of a list, where the policies of staff_members would ask for the session anew
-- each time and a join of every name would be hidden in every query. The row may be forged by a SQL
-- user, so only its key is believed.
create or replace function hospital.doctors_full_name(doctor hospital.doctors)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.given_name || ' ' || m.family_name
    from hospital_private.live_session as s
    join hospital.doctors as d
      on d.id = doctor.id
      and (d.is_active or s.role <> 'patient')
    join hospital.staff_members as m
      on m.id = d.staff_member_id
  );
end;
$$;
comment on function hospital.doctors_full_name(hospital.doctors) is
  'The given and the family name, for anybody with a session, to patients of bookable doctors only. Lends the owner''s right to read staff, for names of doctors.';

create or replace function hospital.doctors_experience_years(doctor hospital.doctors)
returns integer
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select extract(
    year from age((now() at time zone 'UTC')::date, doctor.practising_since)
  )::integer;
$$;
comment on function hospital.doctors_experience_years(hospital.doctors) is
  'The completed years of practice.';

create or replace function hospital.departments_doctors(department hospital.departments)
returns setof hospital.doctors
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select d.*
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  where m.department_id = department.id
    and d.is_active
  order by
    m.family_name,
    m.given_name,
    d.id;
$$;
comment on function hospital.departments_doctors(hospital.departments) is
  'The doctors of the department who can be booked.';

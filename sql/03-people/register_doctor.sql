-- A doctor registers himself and then waits: until an administrator approves he holds no role, so
-- he can neither log in nor be booked.
create or replace function hospital.register_doctor(
  given_name text,
  family_name text,
  email text,
  password text,
  department_id bigint,
  specialization text,
  licence text,
  practising_since date,
  phone text default null
)
returns hospital.doctors
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  new_staff_member_id bigint;
  doctor hospital.doctors;
begin
  insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
  select
    btrim(register_doctor.given_name),
    btrim(register_doctor.family_name),
    'doctor',
    d.id,
    (now() at time zone f.time_zone)::date
  from hospital.departments as d
  join hospital.facilities as f
    on f.id = d.facility_id
  where d.id = register_doctor.department_id
    and d.is_active
  returning id
  into new_staff_member_id;
  if new_staff_member_id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such department.';
  end if;

  insert into hospital.doctors (staff_member_id, specialization, licence, practising_since)
  values (
    new_staff_member_id,
    register_doctor.specialization,
    btrim(register_doctor.licence),
    register_doctor.practising_since
  )
  returning *
  into doctor;

  perform hospital_private.write_contact(
    null, new_staff_member_id, 'email', lower(register_doctor.email)
  );
  perform hospital_private.write_contact(null, new_staff_member_id, 'phone', register_doctor.phone);

  insert into hospital_private.accounts (email, password_hash, staff_member_id)
  values (
    lower(btrim(register_doctor.email)),
    hospital_private.hash_password(register_doctor.password),
    new_staff_member_id
  );
  return doctor;
end;
$$;
comment on function hospital.register_doctor(
  text, text, text, text, bigint, text, text, date, text
) is
  'Registers a doctor with an account that can do nothing until an administrator approves. Raises NTFND for an unknown department, WEAKP, PWLEN, or a conflict for a known address or licence. Lends the owner''s right to write staff and accounts to visitors.';

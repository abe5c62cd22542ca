-- Builders of places and people. Each makes valid data in one call, whatever it needs besides, and
-- returns a key. All act as the superuser, so they may be called while a persona is played.

create sequence tests.numbers start 1000;

create function tests.number()
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  select nextval('tests.numbers');
$$;

create function tests.facility(time_zone text default 'America/New_York')
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.facilities (name, time_zone)
  values ('Facility ' || tests.number(), facility.time_zone)
  returning id;
$$;

create function tests.department(facility_id bigint default null)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.departments (facility_id, name)
  values (coalesce(department.facility_id, tests.facility()), 'Department ' || tests.number())
  returning id;
$$;

create function tests.room(department_id bigint default null)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.rooms (department_id, name)
  values (coalesce(room.department_id, tests.department()), 'Room ' || tests.number())
  returning id;
$$;

create function tests.password()
returns text
language sql
immutable
as $$
  select 'correct horse battery staple';
$$;
comment on function tests.password() is 'The password of every account that tests.account makes.';

create function tests.account(
  email text,
  role text,
  patient_id bigint default null,
  staff_member_id bigint default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  new_id bigint;
begin
  insert into hospital_private.accounts (email, password_hash, patient_id, staff_member_id)
  values (
    account.email,
    -- bcrypt of tests.password(), made once, because hashing takes its time.
    '$2a$10$L4KAqaL36I3BLqehcNq8X.2eJcNE78ANpMTgbcwPdoEsOaC9GYhOm',
    account.patient_id,
    account.staff_member_id
  )
  returning id
  into new_id;
  if account.role is not null then
    insert into hospital_private.account_roles (account_id, role)
    values (new_id, account.role);
  end if;
  return new_id;
end;
$$;

create function tests.staff_member(
  job text,
  department_id bigint default null,
  family_name text default null
)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
  values (
    'Sam',
    coalesce(staff_member.family_name, 'Staff' || tests.number()),
    staff_member.job,
    coalesce(staff_member.department_id, tests.department()),
    date '2020-01-01'
  )
  returning id;
$$;

create function tests.staff(role text, department_id bigint default null, email text default null)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  new_id bigint;
begin
  new_id := tests.staff_member(
    case staff.role
      when 'reception' then 'receptionist'
      when 'laboratory' then 'laboratory_technician'
      when 'billing' then 'billing_clerk'
      else staff.role
    end,
    staff.department_id
  );
  perform tests.account(
    coalesce(staff.email, 'staff' || new_id || '@example.test'), staff.role, null, new_id
  );
  return new_id;
end;
$$;
comment on function tests.staff(text, bigint, text) is
  'A member of staff with an account in the role; returns the key of the member of staff.';

create function tests.doctor(
  department_id bigint default null,
  email text default null,
  room_id bigint default null,
  schedule boolean default true
)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  staff_id bigint := tests.staff_member('doctor', doctor.department_id);
  new_id bigint;
begin
  insert into hospital.doctors
    (staff_member_id, specialization, licence, practising_since, approved_at)
  values (staff_id, 'Cardiology', 'L' || staff_id, date '2010-06-01', now())
  returning id
  into new_id;
  if doctor.schedule then
    insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, room_id)
    select
      new_id,
      d.weekday,
      '08:00',
      '18:00',
      doctor.room_id
    from generate_series(1, 5) as d (weekday);
  end if;
  perform tests.account(
    coalesce(doctor.email, 'staff' || staff_id || '@example.test'), 'doctor', null, staff_id
  );
  return new_id;
end;
$$;
comment on function tests.doctor(bigint, text, bigint, boolean) is
  'An approved doctor with an account who works Monday to Friday from 08 to 18 local time unless told otherwise.';

create function tests.patient(email text default null, family_name text default null)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  new_id bigint;
begin
  insert into hospital.patients (given_name, family_name, date_of_birth, sex)
  values ('Pat', coalesce(patient.family_name, 'Patient' || tests.number()), '1980-02-29', 'female')
  returning id
  into new_id;
  perform tests.account(
    coalesce(patient.email, 'patient' || new_id || '@example.test'), 'patient', new_id
  );
  return new_id;
end;
$$;
comment on function tests.patient(text, text) is 'A patient with an account.';

-- Volatile, so that they see an account made in the same statement.
create function tests.email_of_patient(patient_id bigint)
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  select a.email
  from hospital_private.accounts as a
  where a.patient_id = email_of_patient.patient_id;
$$;

create function tests.email_of_staff(staff_member_id bigint)
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  select a.email
  from hospital_private.accounts as a
  where a.staff_member_id = email_of_staff.staff_member_id;
$$;

create function tests.email_of_doctor(doctor_id bigint)
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  select tests.email_of_staff(d.staff_member_id)
  from hospital.doctors as d
  where d.id = email_of_doctor.doctor_id;
$$;

create function tests.child(
  date_of_birth date default (now() at time zone 'UTC')::date - 3650,
  time_zone text default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  new_id bigint := tests.patient();
begin
  update hospital.patients as p
  set date_of_birth = child.date_of_birth,
    time_zone = child.time_zone
  where p.id = new_id;
  return new_id;
end;
$$;
comment on function tests.child(date, text) is 'A patient with an account who is ten years old unless told otherwise.';

create function tests.proxy(
  patient_id bigint,
  proxy_id bigint,
  relationship text default 'parent',
  scope text default 'read',
  granted tstzrange default tstzrange(now(), null)
)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.patient_proxies
    (patient_id, proxy_id, relationship, is_guardian, scope, granted, evidence)
  select
    proxy.patient_id,
    proxy.proxy_id,
    r.code,
    r.is_guardian,
    proxy.scope,
    proxy.granted,
    'Certificate of birth'
  from hospital.proxy_relationships as r
  where r.code = proxy.relationship
  returning id;
$$;
comment on function tests.proxy(bigint, bigint, text, text, tstzrange) is
  'Makes one patient a proxy of another.';

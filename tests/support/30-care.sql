-- Builders of appointments and of what hangs off them.

create function tests.type_id(code text default 'consultation')
returns bigint
language sql
stable
security definer
set search_path = ''
as $$
  select t.id
  from hospital.appointment_types as t
  where t.code = type_id.code;
$$;

create function tests.local_instant(doctor_id bigint, local_time timestamp)
returns timestamptz
language sql
stable
security definer
set search_path = ''
as $$
  select local_instant.local_time at time zone f.time_zone
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  join hospital.departments as p
    on p.id = m.department_id
  join hospital.facilities as f
    on f.id = p.facility_id
  where d.id = local_instant.doctor_id;
$$;
comment on function tests.local_instant(bigint, timestamp) is
  'The instant at which the clocks of the doctor''s facility show the time.';

create function tests.next_working_instant(
  doctor_id bigint,
  local_time time default '10:00',
  weekday integer default 2
)
returns timestamptz
language sql
stable
security definer
set search_path = ''
as $$
  select tests.local_instant(
    next_working_instant.doctor_id,
    (today.local + days) + next_working_instant.local_time
  )
  from (
    select (now() at time zone f.time_zone)::date as local
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = next_working_instant.doctor_id
  ) as today
  -- At least two days ahead, so that no time of the day and no reminder comes into it.
  cross join generate_series(2, 8) as days
  where extract(isodow from today.local + days) = next_working_instant.weekday;
$$;
comment on function tests.next_working_instant(bigint, time, integer) is
  'A local time of the doctor''s on the next such weekday (ISO, Tuesday unless told otherwise) that is two to eight days ahead.';

create function tests.appointment(
  doctor_id bigint,
  patient_id bigint default null,
  starts_at timestamptz default null,
  type text default 'consultation',
  status text default 'scheduled',
  room_id bigint default null
)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.appointments
    (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at, cancellation_reason, room_id)
  values (
    coalesce(appointment.patient_id, tests.patient()),
    appointment.doctor_id,
    tests.type_id(appointment.type),
    coalesce(appointment.starts_at, tests.next_working_instant(appointment.doctor_id)),
    appointment.status,
    case when appointment.status = 'held' then now() + interval '10 minutes' end,
    case when appointment.status = 'cancelled' then 'patient_request' end,
    appointment.room_id
  )
  returning id;
$$;

create function tests.visit(appointment_id bigint)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  update hospital.appointments as a
  set status = 'in_progress'
  where a.id = visit.appointment_id
    and a.status in ('scheduled', 'checked_in');
  insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, diagnosis, notes)
  select
    a.id,
    a.patient_id,
    a.doctor_id,
    now(),
    'Hypertension',
    'Came with a headache.'
  from hospital.appointments as a
  where a.id = visit.appointment_id
  returning id;
$$;
comment on function tests.visit(bigint) is 'Begins the visit of an appointment.';

create function tests.diagnosis_code(code text default 'I10')
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.diagnosis_codes as c (system, code, description)
  values ('icd10cm', diagnosis_code.code, 'Condition ' || diagnosis_code.code)
  on conflict on constraint diagnosis_codes_system_code_key do update
    set description = c.description
  returning id;
$$;

create function tests.medication(code text default '314076')
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.medications as m (code, name)
  values (medication.code, 'Medicine ' || medication.code)
  on conflict on constraint medications_code_key do update
    set name = m.name
  returning id;
$$;

create function tests.treatment_type(name text default 'Electrocardiogram')
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.treatment_types as t (name)
  values (treatment_type.name)
  on conflict on constraint treatment_types_pkey do update
    set name = t.name
  returning name;
$$;

create function tests.prescription(visit_id bigint)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.prescriptions
    (visit_id, patient_id, medication_id, prescribed_by, dosage, start_date, duration_days)
  select
    v.id,
    v.patient_id,
    tests.medication(),
    v.doctor_id,
    '10 mg once a day',
    date '2026-03-01',
    30
  from hospital.visits as v
  where v.id = prescription.visit_id
  returning id;
$$;

create function tests.treatment(visit_id bigint, cost numeric default 120)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.treatments (visit_id, patient_id, type, cost, started_at)
  select
    v.id,
    v.patient_id,
    tests.treatment_type(),
    treatment.cost,
    v.started_at
  from hospital.visits as v
  where v.id = treatment.visit_id
  returning id;
$$;

create function tests.note(
  visit_id bigint,
  author_id bigint default null,
  sensitivity text default 'normal',
  is_signed boolean default true
)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  insert into hospital.clinical_notes
    (record_uuid, patient_id, note_type, author_id, sensitivity, body, signed_at)
  select
    v.record_uuid,
    v.patient_id,
    'progress_note',
    coalesce(note.author_id, d.staff_member_id),
    note.sensitivity,
    '{"subjective": "Headache", "objective": "BP 150/95", "assessment": "Hypertension", "plan": "Less salt"}',
    case when note.is_signed then now() end
  from hospital.visits as v
  join hospital.doctors as d
    on d.id = v.doctor_id
  where v.id = note.visit_id
  returning id;
$$;
comment on function tests.note(bigint, bigint, text, boolean) is
  'A progress note of a visit, by its doctor and signed unless told otherwise.';

-- What a seed does not bring: one thing of every kind that the queries look for, or must leave out. Run by a
-- superuser, over the seeded hospital of these tests.

-- Called otherwise from now on.
update hospital.departments
set name = 'Heart and vessels'
where name = 'Cardiology'
  and facility_id = 1;

-- Registered twice, with a slip in the name.
insert into hospital.patients (given_name, family_name, date_of_birth, sex)
select p.given_name, p.family_name || 'e', p.date_of_birth, p.sex
from hospital.patients as p
where p.id in (40, 41, 42);

-- Entered in error.
update hospital.visits
set voided_at = started_at + interval '1 day', void_reason = 'Entered for somebody else'
where id % 11 = 0;
update hospital.visit_diagnoses
set voided_at = created_at + interval '1 day', void_reason = 'Mistyped'
where id % 4 = 1;
update hospital.treatments
set voided_at = created_at + interval '1 day', void_reason = 'Not done'
where id % 5 = 0;
update hospital.patient_conditions
set voided_at = created_at + interval '1 day', void_reason = 'Not confirmed'
where id % 6 = 0;

-- Over, or broken off.
update hospital.patient_conditions
set abated_on = onset_on + 30
where id % 5 = 0;
update hospital.prescriptions
set stopped_at = start_date + time '12:00' + interval '20 days', stop_reason = 'Not tolerated'
where id % 9 = 0;
update hospital.clinical_notes
set voided_at = created_at + interval '1 day', void_reason = 'Written for somebody else'
where id % 7 = 0;

-- Late or early, and not ended.
update hospital.visits
set started_at = started_at + make_interval(mins => 9 * (id / 8 % 10)::integer - 12),
  ended_at = ended_at + make_interval(mins => 9 * (id / 8 % 10)::integer - 12)
where id % 8 = 0;
update hospital.visits
set ended_at = null
where id % 13 = 0;

-- What cannot be right: no outcome, visits after a death, somebody in two places at once.
update hospital.treatments
set outcome = null
where id % 79 = 0;
update hospital.patients as p
set deceased_on = (
  select (percentile_disc(0.5) within group (order by v.started_at))::date
  from hospital.visits as v
  where v.patient_id = p.id
)
where p.id = (
  select min(q.id)
  from hospital.patients as q
  where q.person_id = q.id
    and not exists (
      select
      from hospital.patients as d
      where d.merged_into_id = q.id
    )
    and not exists (
      select
      from hospital.appointments as a
      where a.patient_id = q.id
        and a.status = 'scheduled'
    )
    and not exists (
      select
      from hospital.waitlist_entries as w
      where w.patient_id = q.id
        and w.status = 'waiting'
    )
    and (
      select count(*)
      from hospital.visits as v
      where v.patient_id = q.id
    ) >= 8
);
insert into hospital.appointments (
  patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at, status, created_at
)
select
  a.patient_id,
  (a.doctor_id % 100) + 1,
  a.department_id,
  a.appointment_type_id,
  a.starts_at,
  a.ends_at,
  a.status,
  a.created_at
from hospital.appointments as a
where a.status = 'completed'
order by a.id
limit 2;

-- A morning with a long appointment around a short one, two gaps after them, and work at night.
insert into hospital.appointments (
  patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at, status, created_at
)
select
  100 + planned.place,
  a.doctor_id,
  a.department_id,
  a.appointment_type_id,
  a.starts_at + make_interval(mins => planned.starts),
  a.starts_at + make_interval(mins => planned.ends),
  'completed',
  a.created_at
from (
  select a.*
  from hospital.appointments as a
  cross join lateral hospital_private.working_shifts(
    array[a.doctor_id], tstzrange(a.starts_at - interval '1 day', a.starts_at + interval '1 day')
  ) as s
  where a.status = 'completed'
    and a.starts_at between '2025-09-01' and '2025-10-20'
    and tstzrange(s.starts_at, s.ends_at) @> tstzrange(a.starts_at, a.starts_at + interval '225 minutes')
  order by a.id
  limit 1
) as a
cross join (
  values
    (1, 0, 90),
    (2, 15, 30),
    (3, 150, 165),
    (4, 210, 225),
    (5, 900, 930),
    (6, 960, 990)
) as planned (place, starts, ends);

-- One number, written in three ways: of both records of one person, and of somebody else.
insert into hospital.contact_points (patient_id, kind, value, is_preferred)
select
  number.patient_id,
  'phone',
  number.value,
  false
from (
  select
    p.id,
    p.merged_into_id
  from hospital.patients as p
  where p.merged_into_id is not null
  order by p.id
  limit 1
) as p
cross join lateral (
  values
    (p.id, '+1 (617) 555-0999'),
    (p.merged_into_id, '617.555.0999'),
    (1, '617 555 0999')
) as number (patient_id, value);

-- Somebody whom only a letter reaches, and a record that is closed.
insert into hospital.contact_points (patient_id, kind, value)
select max(p.id), 'postal', '1 Main Street, Boston'
from hospital.patients as p;
update hospital.patients
set deactivated_at = now(), deactivation_reason = 'Moved away'
where id = (
  select min(c.patient_id)
  from hospital.patient_conditions as c
  where c.abated_on is null
    and c.voided_at is null
    and not exists (
      select
      from hospital.appointments as a
      where a.patient_id = c.patient_id
        and (a.starts_at > '2025-04-01' or a.status = 'scheduled')
    )
    and not exists (
      select
      from hospital.patients as p
      where c.patient_id in (p.id, p.merged_into_id)
        and p.merged_into_id is not null
    )
);

-- A signed note keeps its label and its words; here some had others from the beginning.
set session_replication_role = replica;
update hospital.clinical_notes
set sensitivity = 'mental_health'
where id % 4 = 0;

-- Texts today; a type of note may have a list tomorrow.
update hospital.clinical_notes
set body = jsonb_set(body, '{subjective}', '["Itchy rash", "Ringing in one ear."]')
where id % 11 = 1
  and body ? 'subjective';

-- medications.csv becomes prescriptions of the doctor of the visit. An instant is the local day of
-- the facility; a course of two weeks lasts 14 days, one of hours a day. The file says no dosage.
create temp table found_medications on commit drop as
select
  s.*,
  p.id as patient_id,
  v.id as visit_id,
  v.patient_id as visit_patient_id,
  v.doctor_id,
  coalesce(s.start_at, s.start_on::timestamp at time zone f.time_zone) as started_at,
  coalesce(s.stop_at, s.stop_on::timestamp at time zone f.time_zone) as ended_at,
  coalesce(s.start_on, (s.start_at at time zone f.time_zone)::date) as first_on,
  coalesce(s.stop_on, (s.stop_at at time zone f.time_zone)::date) as until_on
from pg_temp.staged_medications as s
left join hospital.patients as p
  on p.public_uuid = s.patient_uuid
  and p.erased_at is null
left join hospital.visits as v
  on v.record_uuid = s.encounter_uuid
left join hospital.appointments as a
  on a.id = v.appointment_id
left join hospital.departments as d
  on d.id = a.department_id
left join hospital.facilities as f
  on f.id = d.facility_id
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'medications'
    and o.line = s.line
);
analyze pg_temp.found_medications;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'medications',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.found_medications as s
cross join lateral (
  select p.reason, p.field
  from (values
    (1, s.patient_id is null, 'unknown_patient', 'patient'),
    (2, s.visit_id is null, 'unknown_encounter', 'encounter'),
    (3, s.visit_patient_id <> s.patient_id, 'encounter_of_another_patient', 'encounter'),
    (4, s.ended_at < s.started_at, 'stop_before_start', 'stop')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;

insert into pg_temp.entries (file, line, entry, content)
select
  'medications',
  s.line,
  s.entry,
  s.content
from pg_temp.found_medications as s
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'medications'
    and o.line = s.line
);

call pg_temp.judge_events('medications');

-- One code comes with several descriptions: the first one stays.
insert into hospital.medications (code, name)
select distinct on (s.code)
  s.code,
  s.description
from pg_temp.found_medications as s
join pg_temp.outcomes as o
  on o.file = 'medications'
  and o.line = s.line
where o.outcome = 'loaded'
order by s.code, s.line
on conflict (code) do nothing;

-- The keys are drawn first, so that each line knows which row it became.
create temp table new_prescriptions on commit drop as
select
  nextval((select pg_get_serial_sequence('hospital.prescriptions', 'id'))) as id,
  s.line,
  s.visit_id,
  s.patient_id,
  s.doctor_id,
  m.id as medication_id,
  s.first_on,
  case when s.until_on is not null then greatest(s.until_on - s.first_on, 1) end as duration_days
from pg_temp.found_medications as s
join pg_temp.outcomes as o
  on o.file = 'medications'
  and o.line = s.line
join hospital.medications as m
  on m.code = s.code
where o.outcome = 'loaded'
order by s.line;
analyze pg_temp.new_prescriptions;

insert into hospital.prescriptions (
  id, visit_id, patient_id, medication_id, prescribed_by, dosage, start_date, duration_days
)
overriding system value
select
  n.id,
  n.visit_id,
  n.patient_id,
  n.medication_id,
  n.doctor_id,
  'As directed',
  n.first_on,
  n.duration_days
from pg_temp.new_prescriptions as n
order by n.line;

insert into staging.import_keys (target, content, ordinal, entry, prescription_id)
select
  e.file,
  e.content,
  e.ordinal,
  e.entry,
  n.id
from pg_temp.new_prescriptions as n
join pg_temp.entries as e
  on e.file = 'medications'
  and e.line = n.line;

insert into pg_temp.remarks (file, line, reason)
select
  'medications',
  s.line,
  'other_description'
from pg_temp.found_medications as s
join pg_temp.outcomes as o
  on o.file = 'medications'
  and o.line = s.line
join hospital.medications as m
  on m.code = s.code
where o.outcome <> 'rejected'
  and m.name <> s.description;

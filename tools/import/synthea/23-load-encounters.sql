-- encounters.csv becomes completed appointments of type `imported`, each with its visit. History is
-- recorded as it happened: completed appointments may overlap.
create temp table found_encounters on commit drop as
select
  s.*,
  p.id as patient_id,
  d.id as doctor_id,
  f.id as facility_id,
  -- The doctor's department, or its namesake where the encounter took place elsewhere.
  coalesce(there.id, own.id) as department_id,
  coalesce(s.start_at, s.start_on::timestamp at time zone place.time_zone) as started_at,
  coalesce(s.stop_at, s.stop_on::timestamp at time zone place.time_zone) as ended_at
from pg_temp.staged_encounters as s
left join hospital.patients as p
  on p.public_uuid = s.patient_uuid
  and p.erased_at is null
left join hospital.staff_members as m
  on m.public_uuid = s.provider_uuid
left join hospital.doctors as d
  on d.staff_member_id = m.id
left join hospital.departments as own
  on own.id = m.department_id
left join hospital.facilities as f
  on f.public_uuid = s.organization_uuid
left join hospital.departments as there
  on there.facility_id = f.id
  and there.facility_id <> own.facility_id
  and there.name = own.name
left join hospital.facilities as place
  on place.id = coalesce(f.id, own.facility_id)
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'encounters'
    and o.line = s.line
);
analyze pg_temp.found_encounters;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'encounters',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.found_encounters as s
cross join lateral (
  select p.reason, p.field
  from (values
    (1, s.patient_id is null, 'unknown_patient', 'patient'),
    (2, s.doctor_id is null, 'unknown_provider', 'provider'),
    (3, s.organization_uuid is not null and s.facility_id is null,
      'unknown_organization', 'organization'),
    (4, s.ended_at < s.started_at, 'stop_before_start', 'stop')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;

insert into pg_temp.entries (file, line, entry, content, is_known)
select
  'encounters',
  s.line,
  pg_temp.fingerprint(s.public_uuid::text),
  s.content,
  v.id is not null
from pg_temp.found_encounters as s
left join hospital.visits as v
  on v.record_uuid = s.public_uuid
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'encounters'
    and o.line = s.line
);

call pg_temp.judge_identified('encounters');

create temp table new_visits on commit drop as
select s.*
from pg_temp.found_encounters as s
join pg_temp.outcomes as o
  on o.file = 'encounters'
  and o.line = s.line
where o.outcome = 'loaded';
analyze pg_temp.new_visits;

-- An encounter without a length gets the length of its type, which the database fills in.
insert into hospital.appointments (
  public_uuid, patient_id, doctor_id, department_id, appointment_type_id, starts_at, ends_at,
  status, reason
)
select
  n.public_uuid,
  n.patient_id,
  n.doctor_id,
  n.department_id,
  t.id,
  n.started_at,
  case when n.ended_at > n.started_at then n.ended_at end,
  'completed',
  n.description
from pg_temp.new_visits as n
join hospital.appointment_types as t
  on t.code = 'imported'
order by n.line;

insert into hospital.visits (
  record_uuid, appointment_id, patient_id, doctor_id, started_at, ended_at, diagnosis
)
select
  n.public_uuid,
  a.id,
  n.patient_id,
  n.doctor_id,
  n.started_at,
  n.ended_at,
  coalesce(n.reason, n.description)
from pg_temp.new_visits as n
join hospital.appointments as a
  on a.public_uuid = n.public_uuid
order by n.line;

call pg_temp.remember_identified('encounters');

-- patients.csv becomes patients, with identifiers and address in the tables that few may read.
insert into pg_temp.entries (file, line, entry, content, is_known)
select
  'patients',
  s.line,
  pg_temp.fingerprint(s.public_uuid::text),
  s.content,
  p.id is not null
from pg_temp.staged_patients as s
left join hospital.patients as p
  on p.public_uuid = s.public_uuid
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'patients'
    and o.line = s.line
);

call pg_temp.judge_identified('patients');

create temp table new_patients on commit drop as
select s.*
from pg_temp.staged_patients as s
join pg_temp.outcomes as o
  on o.file = 'patients'
  and o.line = s.line
where o.outcome = 'loaded';
analyze pg_temp.new_patients;

insert into hospital.patients
  (public_uuid, given_name, family_name, date_of_birth, sex, deceased_on)
select
  n.public_uuid,
  n.given_name,
  n.family_name,
  n.date_of_birth,
  n.sex,
  n.deceased_on
from pg_temp.new_patients as n
order by n.line;

insert into hospital.patient_identifiers (patient_id, system, value)
select
  p.id,
  i.system,
  i.value
from pg_temp.new_patients as n
join hospital.patients as p
  on p.public_uuid = n.public_uuid
cross join lateral (values
  ('ssn', n.ssn),
  ('drivers_license', n.drivers),
  ('passport', n.passport)
) as i (system, value)
where i.value is not null
order by n.line;

insert into hospital.contact_points (patient_id, kind, value)
select
  p.id,
  'postal',
  n.postal_address
from pg_temp.new_patients as n
join hospital.patients as p
  on p.public_uuid = n.public_uuid
where n.postal_address is not null
order by n.line;

-- Two people with one number are two people until somebody merges them; it is worth knowing.
insert into pg_temp.remarks (file, line, reason)
select distinct
  'patients',
  s.line,
  'shared_identifier'
from pg_temp.staged_patients as s
join pg_temp.outcomes as o
  on o.file = 'patients'
  and o.line = s.line
join hospital.patients as p
  on p.public_uuid = s.public_uuid
join hospital.patient_identifiers as mine
  on mine.patient_id = p.id
join hospital.patient_identifiers as others
  on others.system = mine.system
  and others.value = mine.value
  and others.patient_id <> mine.patient_id
where o.outcome <> 'rejected';

call pg_temp.remember_identified('patients');

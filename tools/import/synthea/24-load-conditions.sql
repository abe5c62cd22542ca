-- conditions.csv becomes the medical history of the patients, and the diagnoses of their visits.
-- Days are local and stay as they are, also when UTC had the encounter on the next day.
create temp table found_conditions on commit drop as
select
  s.*,
  p.id as patient_id,
  v.id as visit_id,
  v.patient_id as visit_patient_id,
  coalesce(s.start_on, (s.start_at at time zone coalesce(f.time_zone, 'UTC'))::date) as onset_on,
  coalesce(s.stop_on, (s.stop_at at time zone coalesce(f.time_zone, 'UTC'))::date) as abated_on
from pg_temp.staged_conditions as s
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
  where o.file = 'conditions'
    and o.line = s.line
);
analyze pg_temp.found_conditions;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'conditions',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.found_conditions as s
cross join lateral (
  select p.reason, p.field
  from (values
    (1, s.patient_id is null, 'unknown_patient', 'patient'),
    (2, s.encounter_uuid is not null and s.visit_id is null, 'unknown_encounter', 'encounter'),
    (3, s.visit_patient_id <> s.patient_id, 'encounter_of_another_patient', 'encounter'),
    (4, s.abated_on < s.onset_on, 'stop_before_start', 'stop')
  ) as p (priority, is_found, reason, field)
  where p.is_found
  order by p.priority
  limit 1
) as problem;

insert into pg_temp.entries (file, line, entry, content)
select
  'conditions',
  s.line,
  s.entry,
  s.content
from pg_temp.found_conditions as s
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'conditions'
    and o.line = s.line
);

call pg_temp.judge_events('conditions');

-- One code comes with several descriptions: the first one stays.
insert into hospital.diagnosis_codes (system, code, description)
select distinct on (s.code)
  'snomed',
  s.code,
  s.description
from pg_temp.found_conditions as s
join pg_temp.outcomes as o
  on o.file = 'conditions'
  and o.line = s.line
where o.outcome = 'loaded'
order by s.code, s.line
on conflict (system, code) do nothing;

-- What the patient has from that day already, by an earlier line or by a doctor, cannot begin
-- again.
update pg_temp.outcomes as o
set outcome = 'rejected',
  reason = 'repeated_condition'
from (
  select
    s.line,
    row_number() over (partition by s.patient_id, c.id, s.onset_on order by s.line) as repetition,
    exists (
      select
      from hospital.patient_conditions as h
      where h.patient_id = s.patient_id
        and h.diagnosis_code_id = c.id
        and h.onset_on = s.onset_on
    ) as is_recorded
  from pg_temp.found_conditions as s
  join pg_temp.outcomes as mine
    on mine.file = 'conditions'
    and mine.line = s.line
    and mine.outcome = 'loaded'
  join hospital.diagnosis_codes as c
    on c.system = 'snomed'
    and c.code = s.code
) as counted
where o.file = 'conditions'
  and o.line = counted.line
  and (counted.repetition > 1 or counted.is_recorded);

-- The keys are drawn first, so that each line knows which row it became.
create temp table new_conditions on commit drop as
select
  nextval((select pg_get_serial_sequence('hospital.patient_conditions', 'id'))) as id,
  s.line,
  s.patient_id,
  s.visit_id,
  c.id as diagnosis_code_id,
  s.onset_on,
  s.abated_on
from pg_temp.found_conditions as s
join pg_temp.outcomes as o
  on o.file = 'conditions'
  and o.line = s.line
join hospital.diagnosis_codes as c
  on c.system = 'snomed'
  and c.code = s.code
where o.outcome = 'loaded'
order by s.line;
analyze pg_temp.new_conditions;

insert into hospital.patient_conditions
  (id, patient_id, diagnosis_code_id, visit_id, onset_on, abated_on)
overriding system value
select
  n.id,
  n.patient_id,
  n.diagnosis_code_id,
  n.visit_id,
  n.onset_on,
  n.abated_on
from pg_temp.new_conditions as n
order by n.line;

-- The diagnoses of a visit are ranked by their order in the file, after those it has.
insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
with firsts as (
  select
    n.visit_id,
    n.patient_id,
    n.diagnosis_code_id,
    min(n.line) as line
  from pg_temp.new_conditions as n
  where n.visit_id is not null
    and not exists (
      select
      from hospital.visit_diagnoses as h
      where h.visit_id = n.visit_id
        and h.diagnosis_code_id = n.diagnosis_code_id
    )
  group by n.visit_id, n.patient_id, n.diagnosis_code_id
),
ranks as (
  select
    h.visit_id,
    max(h.rank) as highest
  from hospital.visit_diagnoses as h
  group by h.visit_id
)
select
  s.visit_id,
  s.patient_id,
  s.diagnosis_code_id,
  coalesce(r.highest, 0) + row_number() over (partition by s.visit_id order by s.line)
from firsts as s
left join ranks as r
  on r.visit_id = s.visit_id
order by s.line;

insert into staging.import_keys (target, content, ordinal, entry, patient_condition_id)
select
  e.file,
  e.content,
  e.ordinal,
  e.entry,
  n.id
from pg_temp.new_conditions as n
join pg_temp.entries as e
  on e.file = 'conditions'
  and e.line = n.line;

insert into pg_temp.remarks (file, line, reason)
select
  'conditions',
  s.line,
  'other_description'
from pg_temp.found_conditions as s
join pg_temp.outcomes as o
  on o.file = 'conditions'
  and o.line = s.line
join hospital.diagnosis_codes as c
  on c.system = 'snomed'
  and c.code = s.code
where o.outcome <> 'rejected'
  and c.description <> s.description;

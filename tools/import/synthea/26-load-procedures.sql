-- procedures.csv becomes treatments with their cost. A procedure may outlast its visit, or follow
-- it.
create temp table found_procedures on commit drop as
select
  s.*,
  p.id as patient_id,
  v.id as visit_id,
  v.patient_id as visit_patient_id,
  v.ended_at as visit_ended_at,
  f.time_zone,
  coalesce(s.start_at, s.start_on::timestamp at time zone f.time_zone) as started_at,
  coalesce(s.stop_at, s.stop_on::timestamp at time zone f.time_zone) as ended_at
from pg_temp.staged_procedures as s
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
  where o.file = 'procedures'
    and o.line = s.line
);
analyze pg_temp.found_procedures;

insert into pg_temp.outcomes (file, line, outcome, reason, field)
select
  'procedures',
  s.line,
  'rejected',
  problem.reason,
  problem.field
from pg_temp.found_procedures as s
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
  'procedures',
  s.line,
  s.entry,
  s.content
from pg_temp.found_procedures as s
where not exists (
  select
  from pg_temp.outcomes as o
  where o.file = 'procedures'
    and o.line = s.line
);

call pg_temp.judge_events('procedures');

-- A type of treatment is known by its code, or by its name where it has no code. Of several
-- descriptions of one code the first stays; a name that is taken by another code carries its own.
insert into hospital.treatment_types (name, code)
with unknown as (
  select distinct on (s.code)
    s.code,
    s.description,
    s.line
  from pg_temp.found_procedures as s
  join pg_temp.outcomes as o
    on o.file = 'procedures'
    and o.line = s.line
  where o.outcome = 'loaded'
    and not exists (
      select
      from hospital.treatment_types as t
      where t.code = s.code
        or (t.name = s.description and t.code is null)
    )
  order by s.code, s.line
)
select
  case
    when row_number() over (partition by u.description order by u.line) > 1 or exists (
      select
      from hospital.treatment_types as t
      where t.name = u.description
    ) then left(u.description, 279) || ' [' || u.code || ']'
    else u.description
  end,
  u.code
from unknown as u;

-- The keys are drawn first, so that each line knows which row it became.
create temp table new_treatments on commit drop as
select
  nextval((select pg_get_serial_sequence('hospital.treatments', 'id'))) as id,
  s.line,
  s.visit_id,
  s.patient_id,
  coalesce(named.name, coded.name) as type,
  coalesce(s.cost, 0) as cost,
  s.started_at,
  s.ended_at
from pg_temp.found_procedures as s
join pg_temp.outcomes as o
  on o.file = 'procedures'
  and o.line = s.line
left join hospital.treatment_types as named
  on named.name = s.description
  and named.code is null
left join hospital.treatment_types as coded
  on coded.code = s.code
where o.outcome = 'loaded'
order by s.line;
analyze pg_temp.new_treatments;

insert into hospital.treatments (id, visit_id, patient_id, type, cost, started_at, ended_at)
overriding system value
select
  n.id,
  n.visit_id,
  n.patient_id,
  n.type,
  n.cost,
  n.started_at,
  n.ended_at
from pg_temp.new_treatments as n
order by n.line;

insert into staging.import_keys (target, content, ordinal, entry, treatment_id)
select
  e.file,
  e.content,
  e.ordinal,
  e.entry,
  n.id
from pg_temp.new_treatments as n
join pg_temp.entries as e
  on e.file = 'procedures'
  and e.line = n.line;

insert into pg_temp.remarks (file, line, reason)
select
  'procedures',
  s.line,
  remark.reason
from pg_temp.found_procedures as s
join pg_temp.outcomes as o
  on o.file = 'procedures'
  and o.line = s.line
left join hospital.treatment_types as t
  on t.code = s.code
cross join lateral (values
  (s.cost is null, 'missing_cost'),
  (
    (s.started_at at time zone s.time_zone)::date > (s.visit_ended_at at time zone s.time_zone)::date,
    'after_visit'
  ),
  (
    t.name not in (s.description, left(s.description, 279) || ' [' || s.code || ']'),
    'other_description'
  )
) as remark (is_found, reason)
where o.outcome <> 'rejected'
  and remark.is_found;

create or replace view masked.diagnoses
with (security_barrier = true) as
select
  encode(
    substr(sha256(p.secret || 'diagnosis'::bytea || int8send(g.id)), 1, 12), 'hex'
  ) as diagnosis,
  encode(substr(sha256(p.secret || 'visit'::bytea || int8send(g.visit_id)), 1, 12), 'hex') as visit,
  p.person,
  g.rank,
  t.system,
  coalesce(c.category, 'rare') as category
from hospital.visit_diagnoses as g
join hospital_private.deidentified_people as p
  on p.patient_id = g.patient_id
join hospital.visits as v
  on v.id = g.visit_id
  and v.voided_at is null
join hospital.appointments as a
  on a.id = v.appointment_id
join hospital.departments as d
  on d.id = a.department_id
join hospital.facilities as f
  on f.id = d.facility_id
cross join lateral (select (v.started_at at time zone f.time_zone)::date as day) as l
join hospital_private.diagnosis_categories as t
  on t.diagnosis_code_id = g.diagnosis_code_id
left join hospital_private.masking_categories as c
  on c.release_id = p.release_id
  and c.kind = 'diagnosis'
  and c.category = t.category
where g.voided_at is null
  and l.day < p.until
  and g.updated_at <= p.started_at
order by diagnosis;
comment on view masked.diagnoses is 'The coded diagnoses of visits, de-identified.';
comment on column masked.diagnoses.diagnosis is 'The pseudonym of the diagnosis.';
comment on column masked.diagnoses.visit is 'The pseudonym of the visit.';
comment on column masked.diagnoses.person is 'The pseudonym of the person.';
comment on column masked.diagnoses.rank is 'Its rank in the visit, 1 for the main diagnosis.';
comment on column masked.diagnoses.system is 'The coding system.';
comment on column masked.diagnoses.category is 'The first three characters of an ICD-10-CM code, the whole of another, or rare.';

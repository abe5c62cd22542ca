create or replace view warehouse.transform_diagnoses
with (security_invoker = true) as
select
  e.visit_diagnosis_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.diagnosis_code_id as diagnosis_key,
  local.day as diagnosed_on,
  e.rank,
  extract(year from age(local.day, person.date_of_birth))::integer as age_years
from warehouse.extract_diagnoses as e
join warehouse.dim_patient as p
  on p.patient_id = e.patient_id
  and coalesce(p.valid @> e.happened_at, false)
join warehouse.dim_doctor as d
  on d.doctor_id = e.doctor_id
  and coalesce(d.valid @> e.happened_at, false)
join warehouse.dim_department as o
  on o.department_id = e.department_id
  and coalesce(o.valid @> e.happened_at, false)
join hospital.facilities as f
  on f.id = o.facility_id
join hospital.patients as person
  on person.id = e.patient_id
cross join lateral (
  select (e.happened_at at time zone f.time_zone)::date as day
) as local
where e.is_counted;
comment on view warehouse.transform_diagnoses is 'The rows of fact_diagnoses.';
comment on column warehouse.transform_diagnoses.visit_diagnosis_id is 'The diagnosis.';
comment on column warehouse.transform_diagnoses.visit_id is 'Its visit.';
comment on column warehouse.transform_diagnoses.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_diagnoses.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_diagnoses.department_key is 'The department as of the visit.';
comment on column warehouse.transform_diagnoses.diagnosis_key is 'The code.';
comment on column warehouse.transform_diagnoses.diagnosed_on is 'The local day of the visit.';
comment on column warehouse.transform_diagnoses.rank is 'The place among the diagnoses of the visit.';
comment on column warehouse.transform_diagnoses.age_years is 'Age on that day in completed years.';

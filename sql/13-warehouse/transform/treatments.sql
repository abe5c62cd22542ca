create or replace view warehouse.transform_treatments
with (security_invoker = true) as
select
  e.treatment_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.treatment_type,
  (e.started_at at time zone f.time_zone)::date as treated_on,
  least(floor(extract(epoch from e.ended_at - e.started_at) / 60), 2147483647)::integer
    as duration_minutes,
  e.cost,
  e.outcome
from warehouse.extract_treatments as e
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
where e.is_counted;
comment on view warehouse.transform_treatments is 'The rows of fact_treatments.';
comment on column warehouse.transform_treatments.treatment_id is 'The treatment.';
comment on column warehouse.transform_treatments.visit_id is 'Its visit.';
comment on column warehouse.transform_treatments.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_treatments.doctor_key is 'The doctor as of the visit.';
comment on column warehouse.transform_treatments.department_key is 'The department as of the visit.';
comment on column warehouse.transform_treatments.treatment_type is 'The treatment, by name.';
comment on column warehouse.transform_treatments.treated_on is 'The local day it began.';
comment on column warehouse.transform_treatments.duration_minutes is 'How long it took in whole minutes, or null.';
comment on column warehouse.transform_treatments.cost is 'What it cost, in US dollars.';
comment on column warehouse.transform_treatments.outcome is 'How it turned out, or null.';

create or replace view warehouse.transform_prescriptions
with (security_invoker = true) as
select
  e.prescription_id,
  e.visit_id,
  p.patient_key,
  d.doctor_key,
  o.department_key,
  e.medication_id as medication_key,
  e.start_date as starts_on,
  (e.stopped_at at time zone f.time_zone)::date as stopped_on,
  e.duration_days
from warehouse.extract_prescriptions as e
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
comment on view warehouse.transform_prescriptions is 'The rows of fact_prescriptions.';
comment on column warehouse.transform_prescriptions.prescription_id is 'The prescription.';
comment on column warehouse.transform_prescriptions.visit_id is 'Its visit.';
comment on column warehouse.transform_prescriptions.patient_key is 'The patient as of the visit.';
comment on column warehouse.transform_prescriptions.doctor_key is 'The doctor who prescribed, as of the visit.';
comment on column warehouse.transform_prescriptions.department_key is 'The department as of the visit.';
comment on column warehouse.transform_prescriptions.medication_key is 'The medicine.';
comment on column warehouse.transform_prescriptions.starts_on is 'The first day of taking it.';
comment on column warehouse.transform_prescriptions.stopped_on is 'The local day it was stopped early, or null.';
comment on column warehouse.transform_prescriptions.duration_days is 'For how many days it was prescribed, or null.';

create or replace view warehouse.extract_diagnoses
with (security_invoker = true) as
select
  d.id as visit_diagnosis_id,
  d.visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  d.diagnosis_code_id,
  d.rank,
  v.voided_at is null and d.voided_at is null as is_counted
from hospital.visit_diagnoses as d
join hospital.visits as v
  on v.id = d.visit_id
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_diagnoses is 'All coded diagnoses, each with its visit.';
comment on column warehouse.extract_diagnoses.visit_diagnosis_id is 'The diagnosis.';
comment on column warehouse.extract_diagnoses.visit_id is 'Its visit.';
comment on column warehouse.extract_diagnoses.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_diagnoses.patient_id is 'The patient.';
comment on column warehouse.extract_diagnoses.doctor_id is 'The doctor of the visit.';
comment on column warehouse.extract_diagnoses.department_id is 'The department of the appointment.';
comment on column warehouse.extract_diagnoses.happened_at is 'When the visit began.';
comment on column warehouse.extract_diagnoses.diagnosis_code_id is 'The code.';
comment on column warehouse.extract_diagnoses.rank is 'The place among the diagnoses of the visit.';
comment on column warehouse.extract_diagnoses.is_counted is 'Whether neither it nor the visit was entered in error.';

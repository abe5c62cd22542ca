create or replace view warehouse.extract_prescriptions
with (security_invoker = true) as
select
  p.id as prescription_id,
  p.visit_id,
  v.appointment_id,
  v.patient_id,
  p.prescribed_by as doctor_id,
  a.department_id,
  v.started_at as happened_at,
  p.medication_id,
  p.start_date,
  p.stopped_at,
  p.duration_days,
  v.voided_at is null as is_counted
from hospital.prescriptions as p
join hospital.visits as v
  on v.id = p.visit_id
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_prescriptions is 'All prescriptions, each with its visit.';
comment on column warehouse.extract_prescriptions.prescription_id is 'The prescription.';
comment on column warehouse.extract_prescriptions.visit_id is 'Its visit.';
comment on column warehouse.extract_prescriptions.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_prescriptions.patient_id is 'The patient.';
comment on column warehouse.extract_prescriptions.doctor_id is 'The doctor who prescribed.';
comment on column warehouse.extract_prescriptions.department_id is 'The department of the appointment.';
comment on column warehouse.extract_prescriptions.happened_at is 'When the visit began.';
comment on column warehouse.extract_prescriptions.medication_id is 'The medicine.';
comment on column warehouse.extract_prescriptions.start_date is 'The first day of taking it.';
comment on column warehouse.extract_prescriptions.stopped_at is 'When it was stopped early, or null.';
comment on column warehouse.extract_prescriptions.duration_days is 'For how many days it was prescribed, or null.';
comment on column warehouse.extract_prescriptions.is_counted is 'Whether the visit was not entered in error.';

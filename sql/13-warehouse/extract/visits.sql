create or replace view warehouse.extract_visits
with (security_invoker = true) as
select
  v.id as visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  v.ended_at,
  v.voided_at is null as is_counted
from hospital.visits as v
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_visits is 'All visits, each with the department of its appointment.';
comment on column warehouse.extract_visits.visit_id is 'The visit.';
comment on column warehouse.extract_visits.appointment_id is 'Its appointment.';
comment on column warehouse.extract_visits.patient_id is 'The patient.';
comment on column warehouse.extract_visits.doctor_id is 'The doctor.';
comment on column warehouse.extract_visits.department_id is 'The department of the appointment.';
comment on column warehouse.extract_visits.happened_at is 'When it began: as of then patient, doctor and department are told.';
comment on column warehouse.extract_visits.ended_at is 'When it ended, or null.';
comment on column warehouse.extract_visits.is_counted is 'Whether it was not entered in error.';

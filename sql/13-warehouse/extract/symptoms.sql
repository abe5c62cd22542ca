create or replace view warehouse.extract_symptoms
with (security_invoker = true) as
select
  n.id as clinical_note_id,
  v.id as visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  n.body -> 'symptoms' as symptoms,
  v.voided_at is null
    and n.signed_at is not null
    and n.voided_at is null
    and n.sensitivity = 'normal' as is_counted
from hospital.clinical_notes as n
join hospital.visits as v
  on v.record_uuid = n.record_uuid
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_symptoms is 'All notes, each with its visit.';
comment on column warehouse.extract_symptoms.clinical_note_id is 'The note.';
comment on column warehouse.extract_symptoms.visit_id is 'Its visit.';
comment on column warehouse.extract_symptoms.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_symptoms.patient_id is 'The patient.';
comment on column warehouse.extract_symptoms.doctor_id is 'The doctor of the visit.';
comment on column warehouse.extract_symptoms.department_id is 'The department of the appointment.';
comment on column warehouse.extract_symptoms.happened_at is 'When the visit began.';
comment on column warehouse.extract_symptoms.symptoms is 'The list of symptoms as it was typed, or null.';
comment on column warehouse.extract_symptoms.is_counted is 'Whether the note is signed and of normal sensitivity, and neither it nor the visit was entered in error.';

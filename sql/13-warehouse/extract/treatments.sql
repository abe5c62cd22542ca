create or replace view warehouse.extract_treatments
with (security_invoker = true) as
select
  t.id as treatment_id,
  t.visit_id,
  v.appointment_id,
  v.patient_id,
  v.doctor_id,
  a.department_id,
  v.started_at as happened_at,
  t.type as treatment_type,
  t.started_at,
  t.ended_at,
  t.cost,
  t.outcome,
  v.voided_at is null and t.voided_at is null as is_counted
from hospital.treatments as t
join hospital.visits as v
  on v.id = t.visit_id
join hospital.appointments as a
  on a.id = v.appointment_id;
comment on view warehouse.extract_treatments is 'All treatments, each with its visit.';
comment on column warehouse.extract_treatments.treatment_id is 'The treatment.';
comment on column warehouse.extract_treatments.visit_id is 'Its visit.';
comment on column warehouse.extract_treatments.appointment_id is 'The appointment of the visit.';
comment on column warehouse.extract_treatments.patient_id is 'The patient.';
comment on column warehouse.extract_treatments.doctor_id is 'The doctor of the visit.';
comment on column warehouse.extract_treatments.department_id is 'The department of the appointment.';
comment on column warehouse.extract_treatments.happened_at is 'When the visit began.';
comment on column warehouse.extract_treatments.treatment_type is 'The treatment, by name.';
comment on column warehouse.extract_treatments.started_at is 'When it began.';
comment on column warehouse.extract_treatments.ended_at is 'When it ended, or null.';
comment on column warehouse.extract_treatments.cost is 'What it cost, in US dollars.';
comment on column warehouse.extract_treatments.outcome is 'How it turned out, or null.';
comment on column warehouse.extract_treatments.is_counted is 'Whether neither it nor the visit was entered in error.';

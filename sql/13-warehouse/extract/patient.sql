create or replace view warehouse.extract_patient
with (security_invoker = true) as
select
  v.id as patient_key,
  v.patient_id,
  p.person_id,
  v.recorded_at,
  v.sex,
  p.date_of_birth,
  v.is_active
from warehouse.patient_versions as v
join hospital.patients as p
  on p.id = v.patient_id;
comment on view warehouse.extract_patient is 'The versions of the patients there are, with the person and the day of birth as they are now.';
comment on column warehouse.extract_patient.patient_key is 'The key of the version.';
comment on column warehouse.extract_patient.patient_id is 'The record of the patient.';
comment on column warehouse.extract_patient.person_id is 'The record that stands for the person.';
comment on column warehouse.extract_patient.recorded_at is 'When the version was made.';
comment on column warehouse.extract_patient.sex is 'Administrative sex.';
comment on column warehouse.extract_patient.date_of_birth is 'The day of birth.';
comment on column warehouse.extract_patient.is_active is 'Whether the record is open.';

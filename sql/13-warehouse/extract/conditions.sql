-- A history is told in days of nobody's clock, so the patient is told as of noon, UTC: the same day almost
-- everywhere.
create or replace view warehouse.extract_conditions
with (security_invoker = true) as
select
  c.id as patient_condition_id,
  c.patient_id,
  (c.onset_on + time '12:00') at time zone 'UTC' as happened_at,
  c.diagnosis_code_id,
  c.onset_on,
  c.abated_on,
  c.voided_at is null as is_counted
from hospital.patient_conditions as c;
comment on view warehouse.extract_conditions is 'All entries in medical histories.';
comment on column warehouse.extract_conditions.patient_condition_id is 'The entry.';
comment on column warehouse.extract_conditions.patient_id is 'The patient.';
comment on column warehouse.extract_conditions.happened_at is 'Noon of the day it began.';
comment on column warehouse.extract_conditions.diagnosis_code_id is 'The code.';
comment on column warehouse.extract_conditions.onset_on is 'The day it began.';
comment on column warehouse.extract_conditions.abated_on is 'The day it ended, or null.';
comment on column warehouse.extract_conditions.is_counted is 'Whether it was not made in error.';

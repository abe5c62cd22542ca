create or replace view warehouse.transform_conditions
with (security_invoker = true) as
select
  e.patient_condition_id,
  p.patient_key,
  e.diagnosis_code_id as diagnosis_key,
  e.onset_on,
  e.abated_on
from warehouse.extract_conditions as e
join warehouse.dim_patient as p
  on p.patient_id = e.patient_id
  and coalesce(p.valid @> e.happened_at, false)
where e.is_counted;
comment on view warehouse.transform_conditions is 'The rows of fact_conditions.';
comment on column warehouse.transform_conditions.patient_condition_id is 'The entry.';
comment on column warehouse.transform_conditions.patient_key is 'The patient as of the day it began.';
comment on column warehouse.transform_conditions.diagnosis_key is 'The code.';
comment on column warehouse.transform_conditions.onset_on is 'The day it began.';
comment on column warehouse.transform_conditions.abated_on is 'The day it ended, or null.';

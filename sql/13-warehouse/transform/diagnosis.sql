create or replace view warehouse.transform_diagnosis
with (security_invoker = true) as
select
  e.diagnosis_key,
  e.system,
  e.code,
  e.description
from warehouse.extract_diagnosis as e;
comment on view warehouse.transform_diagnosis is 'The rows of dim_diagnosis.';
comment on column warehouse.transform_diagnosis.diagnosis_key is 'The key of the code.';
comment on column warehouse.transform_diagnosis.system is 'The code system.';
comment on column warehouse.transform_diagnosis.code is 'The code.';
comment on column warehouse.transform_diagnosis.description is 'What the code means.';

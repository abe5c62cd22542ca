-- Of the tens of thousands of codes those that somebody used, also in error.
create or replace view warehouse.extract_diagnosis
with (security_invoker = true) as
select
  c.id as diagnosis_key,
  c.system,
  c.code,
  c.description
from hospital.diagnosis_codes as c
where exists (
    select
    from hospital.visit_diagnoses as d
    where d.diagnosis_code_id = c.id
  )
  or exists (
    select
    from hospital.patient_conditions as h
    where h.diagnosis_code_id = c.id
  );
comment on view warehouse.extract_diagnosis is 'The diagnosis codes that stand in the record.';
comment on column warehouse.extract_diagnosis.diagnosis_key is 'The key of the code.';
comment on column warehouse.extract_diagnosis.system is 'The code system.';
comment on column warehouse.extract_diagnosis.code is 'The code.';
comment on column warehouse.extract_diagnosis.description is 'What the code means.';

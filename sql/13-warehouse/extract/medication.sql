create or replace view warehouse.extract_medication
with (security_invoker = true) as
select
  m.id as medication_key,
  m.code,
  m.name
from hospital.medications as m
where exists (
  select
  from hospital.prescriptions as p
  where p.medication_id = m.id
);
comment on view warehouse.extract_medication is 'The medicines that stand in a prescription.';
comment on column warehouse.extract_medication.medication_key is 'The key of the medicine.';
comment on column warehouse.extract_medication.code is 'The RxNorm concept identifier.';
comment on column warehouse.extract_medication.name is 'Name, strength and form.';

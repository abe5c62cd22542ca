create or replace view warehouse.transform_medication
with (security_invoker = true) as
select
  e.medication_key,
  e.code,
  e.name
from warehouse.extract_medication as e;
comment on view warehouse.transform_medication is 'The rows of dim_medication.';
comment on column warehouse.transform_medication.medication_key is 'The key of the medicine.';
comment on column warehouse.transform_medication.code is 'The RxNorm concept identifier.';
comment on column warehouse.transform_medication.name is 'Name, strength and form.';

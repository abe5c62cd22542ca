create or replace view warehouse.transform_appointment_type
with (security_invoker = true) as
select
  e.appointment_type_key,
  e.code,
  e.name,
  e.price
from warehouse.extract_appointment_type as e;
comment on view warehouse.transform_appointment_type is 'The rows of dim_appointment_type.';
comment on column warehouse.transform_appointment_type.appointment_type_key is 'The key of the type.';
comment on column warehouse.transform_appointment_type.code is 'The code of the type.';
comment on column warehouse.transform_appointment_type.name is 'The name shown to people.';
comment on column warehouse.transform_appointment_type.price is 'The price in US dollars.';

create or replace view warehouse.extract_appointment_type
with (security_invoker = true) as
select
  t.id as appointment_type_key,
  t.code,
  t.name,
  t.price
from hospital.appointment_types as t;
comment on view warehouse.extract_appointment_type is 'The kinds of appointment.';
comment on column warehouse.extract_appointment_type.appointment_type_key is 'The key of the type.';
comment on column warehouse.extract_appointment_type.code is 'The code of the type.';
comment on column warehouse.extract_appointment_type.name is 'The name shown to people.';
comment on column warehouse.extract_appointment_type.price is 'The price in US dollars.';

create or replace view warehouse.extract_doctor
with (security_invoker = true) as
select
  v.id as doctor_key,
  v.doctor_id,
  d.staff_member_id,
  v.recorded_at,
  v.name,
  v.specialization,
  v.department_id,
  v.is_active,
  d.practising_since
from warehouse.doctor_versions as v
join hospital.doctors as d
  on d.id = v.doctor_id;
comment on view warehouse.extract_doctor is 'The versions of the doctors there are, with what is corrected rather than changed as it is now.';
comment on column warehouse.extract_doctor.doctor_key is 'The key of the version.';
comment on column warehouse.extract_doctor.doctor_id is 'The doctor.';
comment on column warehouse.extract_doctor.staff_member_id is 'The member of staff the doctor is.';
comment on column warehouse.extract_doctor.recorded_at is 'When the version was made.';
comment on column warehouse.extract_doctor.name is 'Given and family name.';
comment on column warehouse.extract_doctor.specialization is 'The specialty practised.';
comment on column warehouse.extract_doctor.department_id is 'The department worked in.';
comment on column warehouse.extract_doctor.is_active is 'Whether the doctor can be booked.';
comment on column warehouse.extract_doctor.practising_since is 'The day from which the doctor has practised.';

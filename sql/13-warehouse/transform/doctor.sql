create or replace view warehouse.transform_doctor
with (security_invoker = true) as
select
  e.doctor_key,
  e.doctor_id,
  tstzrange(
    case when earlier.is_there then e.recorded_at end,
    later.recorded_at
  ) as valid,
  e.name,
  e.specialization,
  e.department_id,
  e.is_active,
  e.practising_since
from warehouse.extract_doctor as e
cross join lateral (
  select exists (
    select
    from warehouse.doctor_versions as v
    where v.doctor_id = e.doctor_id
      and v.id < e.doctor_key
  ) as is_there
) as earlier
left join lateral (
  select v.recorded_at
  from warehouse.doctor_versions as v
  where v.doctor_id = e.doctor_id
    and v.id > e.doctor_key
  order by v.id
  limit 1
) as later
  on true;
comment on view warehouse.transform_doctor is 'The rows of dim_doctor.';
comment on column warehouse.transform_doctor.doctor_key is 'The key of the version.';
comment on column warehouse.transform_doctor.doctor_id is 'The doctor.';
comment on column warehouse.transform_doctor.valid is 'When the version is in force: the first from ever, the newest without end.';
comment on column warehouse.transform_doctor.name is 'Given and family name.';
comment on column warehouse.transform_doctor.specialization is 'The specialty practised.';
comment on column warehouse.transform_doctor.department_id is 'The department worked in.';
comment on column warehouse.transform_doctor.is_active is 'Whether the doctor can be booked.';
comment on column warehouse.transform_doctor.practising_since is 'The day from which the doctor has practised.';

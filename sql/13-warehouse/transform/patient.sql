create or replace view warehouse.transform_patient
with (security_invoker = true) as
select
  e.patient_key,
  e.patient_id,
  e.person_id,
  tstzrange(
    case when earlier.is_there then e.recorded_at end,
    later.recorded_at
  ) as valid,
  e.sex,
  extract(year from e.date_of_birth)::smallint as birth_year,
  e.is_active
from warehouse.extract_patient as e
cross join lateral (
  select exists (
    select
    from warehouse.patient_versions as v
    where v.patient_id = e.patient_id
      and v.id < e.patient_key
  ) as is_there
) as earlier
left join lateral (
  select v.recorded_at
  from warehouse.patient_versions as v
  where v.patient_id = e.patient_id
    and v.id > e.patient_key
  order by v.id
  limit 1
) as later
  on true;
comment on view warehouse.transform_patient is 'The rows of dim_patient.';
comment on column warehouse.transform_patient.patient_key is 'The key of the version.';
comment on column warehouse.transform_patient.patient_id is 'The record of the patient.';
comment on column warehouse.transform_patient.person_id is 'The record that stands for the person.';
comment on column warehouse.transform_patient.valid is 'When the version is in force: the first from ever, the newest without end.';
comment on column warehouse.transform_patient.sex is 'Administrative sex.';
comment on column warehouse.transform_patient.birth_year is 'The year of birth.';
comment on column warehouse.transform_patient.is_active is 'Whether the record is open.';

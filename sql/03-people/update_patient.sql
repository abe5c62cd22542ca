create or replace function hospital.update_patient(
  patient_id bigint,
  given_name text default null,
  family_name text default null,
  date_of_birth date default null,
  sex text default null,
  phone text default null,
  email text default null,
  address text default null,
  time_zone text default null
)
returns hospital.patients
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  select p.*
  into patient
  from hospital.patients as p
  where p.id = update_patient.patient_id
  for update;
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  -- Who a patient is, is changed only where it differs: patients themselves may not.
  if update_patient.given_name is not null
    or update_patient.family_name is not null
    or update_patient.date_of_birth is not null
    or update_patient.sex is not null
  then
    update hospital.patients as p
    set given_name = coalesce(btrim(update_patient.given_name), p.given_name),
      family_name = coalesce(btrim(update_patient.family_name), p.family_name),
      date_of_birth = coalesce(update_patient.date_of_birth, p.date_of_birth),
      sex = coalesce(update_patient.sex, p.sex)
    where p.id = update_patient.patient_id;
  end if;
  if update_patient.time_zone is not null then
    update hospital.patients as p
    set time_zone = update_patient.time_zone
    where p.id = update_patient.patient_id;
  end if;
  perform hospital_private.write_contact(patient.id, null, 'phone', update_patient.phone);
  perform hospital_private.write_contact(patient.id, null, 'email', lower(update_patient.email));
  perform hospital_private.write_contact(patient.id, null, 'postal', update_patient.address);

  select p.*
  into patient
  from hospital.patients as p
  where p.id = update_patient.patient_id;
  return patient;
end;
$$;
comment on function hospital.update_patient(
  bigint, text, text, date, text, text, text, text, text
) is
  'Changes what is given and leaves the rest: patients change their own contact data and zone, reception and administrators also names, date of birth and sex. Raises NTFND, or a refusal of the role.';

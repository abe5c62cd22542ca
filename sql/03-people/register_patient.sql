-- People register themselves with an account; reception registers people without one. The three
-- rows stand or fall together.
create or replace function hospital.register_patient(
  given_name text,
  family_name text,
  date_of_birth date,
  sex text,
  email text default null,
  password text default null,
  phone text default null,
  address text default null,
  time_zone text default null
)
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
  new_account_id bigint;
begin
  if register_patient.password is null or register_patient.email is null then
    perform hospital_private.require_role('reception', 'administrator');
  end if;

  insert into hospital.patients (given_name, family_name, date_of_birth, sex, time_zone)
  values (
    btrim(register_patient.given_name),
    btrim(register_patient.family_name),
    register_patient.date_of_birth,
    register_patient.sex,
    register_patient.time_zone
  )
  returning *
  into patient;

  perform hospital_private.write_contact(patient.id, null, 'email', lower(register_patient.email));
  perform hospital_private.write_contact(patient.id, null, 'phone', register_patient.phone);
  perform hospital_private.write_contact(patient.id, null, 'postal', register_patient.address);

  if register_patient.password is not null and register_patient.email is not null then
    insert into hospital_private.accounts (email, password_hash, patient_id)
    values (
      lower(btrim(register_patient.email)),
      hospital_private.hash_password(register_patient.password),
      patient.id
    )
    returning id
    into new_account_id;
    insert into hospital_private.account_roles (account_id, role)
    values (new_account_id, 'patient');
  end if;
  return patient;
end;
$$;
comment on function hospital.register_patient(
  text, text, date, text, text, text, text, text, text
) is
  'Registers a patient: with address and password also an account, without them for reception only. Raises WEAKP, PWLEN, or a conflict when the address has an account. Lends the owner''s right to write people and accounts to visitors who have neither.';

-- When a row last changed is not for the writer to say.
create or replace function hospital_private.touch()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;
comment on function hospital_private.touch() is
  'Trigger: stamps updated_at with the time of the transaction.';

-- Triggers fire in the order of their names, so each carries its priority: 100 stamps, 200 derives,
-- 300 guards, 700 history, 800 notifications.
create or replace trigger _100_timestamps
  before update on hospital.facilities
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.departments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.rooms
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.staff_members
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctors
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patients
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.contact_points
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patient_identifiers
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital_private.accounts
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_schedules
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_time_off
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.doctor_extra_sessions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.appointment_types
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.appointments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.visits
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.visit_diagnoses
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.patient_conditions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.prescriptions
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.treatments
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.waitlist_entries
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.clinical_notes
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.sensitivity_grants
  for each row execute function hospital_private.touch();
create or replace trigger _100_timestamps
  before update on hospital.retention_rules
  for each row execute function hospital_private.touch();

create or replace function hospital.deactivate_patient(patient_id bigint, reason text)
returns hospital.patients
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  perform hospital_private.lock_calendars('{}', array[deactivate_patient.patient_id]);
  update hospital.patients as p
  set deactivated_at = coalesce(p.deactivated_at, now()),
    deactivation_reason = coalesce(p.deactivation_reason, deactivate_patient.reason)
  where p.id = deactivate_patient.patient_id
  returning p.*
  into patient;
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return patient;
end;
$$;
comment on function hospital.deactivate_patient(bigint, text) is
  'Closes a patient''s record to new appointments, with a reason; nothing is deleted. For reception and administrators. Raises NTFND, RETRY, and INWAY while there are appointments to come.';

create or replace function hospital.override_appointment(appointment_id bigint, override_reason text)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(override_appointment.appointment_id);
  granted bigint;
begin
  insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
  values (
    appointment.doctor_id,
    appointment.patient_id,
    appointment.busy,
    override_appointment.override_reason
  )
  returning id
  into granted;
  update hospital.appointments as a
  set override_id = granted
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.override_appointment(bigint, text) is
  'Lets an appointment stand where it is although hours or limits change; for its doctor and administrators, with a coded reason. Raises NTFND, RETRY.';

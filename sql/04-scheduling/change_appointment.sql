-- The small changes of an appointment's life. Each finds the row under the caller's policies, so a
-- row that is not his does not exist for him.
create or replace function hospital.update_appointment(appointment_id bigint, reason text)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set reason = update_appointment.reason
  where a.id = update_appointment.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.update_appointment(bigint, text) is
  'Changes the reason for which the patient comes. Raises NTFND.';

-- A cancellation is made once: repeating it, as a client may after a lost answer, keeps the reason
-- and the time of the first.
create or replace function hospital.cancel_appointment(
  appointment_id bigint,
  cancellation_reason text default 'patient_request'
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = cancel_appointment.cancellation_reason
  where a.id = cancel_appointment.appointment_id
    and a.status <> 'cancelled'
  returning a.*
  into appointment;
  if appointment.id is not null then
    return appointment;
  end if;

  select a.*
  into appointment
  from hospital.appointments as a
  where a.id = cancel_appointment.appointment_id;
  perform hospital_private.found_appointment(appointment);
  if appointment.status <> 'cancelled' then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment can no longer be cancelled.';
  end if;
  return appointment;
end;
$$;
comment on function hospital.cancel_appointment(bigint, text) is
  'Calls an appointment off with a coded reason and frees its time at once; patients do so before it begins and give a reason of their own party. Raises NTFND, TRNSN when the caller may no longer cancel it, or a conflict when its status does not allow it.';

create or replace function hospital.check_in(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set status = 'checked_in'
  where a.id = check_in.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.check_in(bigint) is
  'Records that the patient has arrived; for staff. Raises NTFND, or a conflict when its status does not allow it.';

create or replace function hospital.mark_no_show(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
begin
  update hospital.appointments as a
  set status = 'no_show'
  where a.id = mark_no_show.appointment_id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.mark_no_show(bigint) is
  'Records that the patient did not come; for staff and the doctor. Raises NTFND, or a conflict when its status does not allow it.';

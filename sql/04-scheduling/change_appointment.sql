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

create or replace function hospital.extend_appointment(appointment_id bigint, ends_at timestamptz)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(extend_appointment.appointment_id);
  taken text := hospital_private.booking_conflict(
    appointment.doctor_id,
    appointment.patient_id,
    appointment.room_id,
    tstzrange(
      lower(appointment.busy),
      greatest(
        extend_appointment.ends_at + (upper(appointment.busy) - appointment.ends_at),
        lower(appointment.busy)
      )
    ),
    appointment.id
  );
begin
  if appointment.status not in ('held', 'scheduled', 'checked_in', 'in_progress') then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is over.';
  end if;
  if taken is not null then
    perform hospital_private.raise_conflict(taken);
  end if;
  update hospital.appointments as a
  set ends_at = extend_appointment.ends_at
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.extend_appointment(bigint, timestamptz) is
  'Lets an appointment end later or earlier; for staff who keep the calendar and its doctor. Raises NTFND, TRNSN, OUTWH, RETRY, SLOTT, PATBU, ROOMT.';

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
  appointment hospital.appointments :=
    hospital_private.lock_appointment(cancel_appointment.appointment_id);
  cancelled hospital.appointments;
begin
  if appointment.status = 'cancelled' then
    return appointment;
  end if;
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = cancel_appointment.cancellation_reason
  where a.id = appointment.id
    and a.status <> 'cancelled'
  returning a.*
  into cancelled;
  if cancelled.id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment can no longer be cancelled.';
  end if;
  return cancelled;
end;
$$;
comment on function hospital.cancel_appointment(bigint, text) is
  'Calls an appointment off with a coded reason, frees its time at once and offers it to the waitlist; patients do so before it begins and give a reason of their own party. Raises NTFND, RETRY, TRNSN when the caller may no longer cancel it, or a conflict when its status does not allow it.';

create or replace function hospital.check_in(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(check_in.appointment_id);
begin
  update hospital.appointments as a
  set status = 'checked_in'
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.check_in(bigint) is
  'Records that the patient has arrived; for staff. Raises NTFND, RETRY, or a conflict when its status does not allow it.';

create or replace function hospital.mark_no_show(
  appointment_id bigint,
  no_show_reason text default 'did_not_come'
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(mark_no_show.appointment_id);
begin
  update hospital.appointments as a
  set status = 'no_show',
    no_show_reason = mark_no_show.no_show_reason
  where a.id = appointment.id
  returning a.*
  into appointment;
  return hospital_private.found_appointment(appointment);
end;
$$;
comment on function hospital.mark_no_show(bigint, text) is
  'Records that the patient did not come, with a coded reason, once the appointment should have begun; for staff and the doctor. Raises NTFND, RETRY, TRNSN before its start, or a conflict when its status does not allow it.';

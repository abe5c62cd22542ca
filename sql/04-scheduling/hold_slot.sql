-- A time is kept for a patient who is still deciding. It is an appointment in every respect but that
-- it ends by the clock, so nothing has to run for it to end.
create or replace function hospital.hold_slot(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  idempotency_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := jsonb_build_array(
    hold_slot.patient_id,
    hold_slot.doctor_id,
    hold_slot.appointment_type_id,
    extract(epoch from hold_slot.starts_at)
  )::text;
  known bigint := hospital_private.begin_request(
    hold_slot.idempotency_key,
    'hold_slot',
    payload,
    array[hold_slot.doctor_id],
    array[hold_slot.patient_id],
    case
      when hold_slot.idempotency_key is not null then array[
        hospital_private.scheduled_room_id(hold_slot.doctor_id, hold_slot.starts_at)
      ]
    end
  );
  held hospital.appointments;
begin
  if known is not null then
    return hospital_private.appointment(known);
  end if;
  held := hospital_private.place_appointment(
    hold_slot.patient_id,
    hold_slot.doctor_id,
    hold_slot.appointment_type_id,
    hold_slot.starts_at,
    'held',
    null,
    is_locked => hold_slot.idempotency_key is not null
  );
  perform hospital_private.remember_request(
    hold_slot.idempotency_key, 'hold_slot', payload, held.id
  );
  return held;
end;
$$;
comment on function hospital.hold_slot(bigint, bigint, bigint, timestamptz, text) is
  'Keeps a time for a patient for the minutes its type says; expiresAt tells until when. confirmHold or bookAppointment make it an appointment. Raises what bookAppointment raises, and NHOLD when the patient holds three times already.';

create or replace function hospital.confirm_hold(appointment_id bigint, reason text default null)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(confirm_hold.appointment_id);
begin
  if appointment.status = 'lapsed' or appointment.expires_at <= clock_timestamp() then
    raise exception using
      errcode = 'XHOLD',
      message = 'The hold has run out.',
      hint = 'Hold or book the time again; it may still be free.';
  end if;
  update hospital.appointments as a
  set status = 'scheduled',
    reason = coalesce(confirm_hold.reason, a.reason)
  where a.id = appointment.id
    and a.status = 'held'
  returning a.*
  into appointment;
  if appointment.id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is not a held time.';
  end if;
  return appointment;
end;
$$;
comment on function hospital.confirm_hold(bigint, text) is
  'Makes an appointment of a held time that has not run out. Raises NTFND, TRNSN when it is no hold, XHOLD, RETRY.';

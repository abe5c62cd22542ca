-- Moving is one change of one row: there is no moment in which the patient has no time or two, and
-- the row cannot be in its own way. Its lineage is written by a trigger.
create or replace function hospital.reschedule_appointment(
  appointment_id bigint,
  starts_at timestamptz,
  doctor_id bigint default null,
  override_reason text default null,
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
    reschedule_appointment.appointment_id,
    extract(epoch from reschedule_appointment.starts_at),
    reschedule_appointment.doctor_id,
    reschedule_appointment.override_reason
  )::text;
  known bigint := hospital_private.recall_request(
    reschedule_appointment.idempotency_key, 'reschedule_appointment', payload
  );
  before hospital.appointments;
  moved hospital.appointments;
  doctor bigint;
  place bigint;
  busy tstzrange;
  granted bigint;
  taken text;
begin
  if known is not null then
    return hospital_private.appointment(known);
  end if;
  if reschedule_appointment.starts_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;
  before := hospital_private.appointment(reschedule_appointment.appointment_id);
  doctor := coalesce(reschedule_appointment.doctor_id, before.doctor_id);
  place := hospital_private.scheduled_room_id(doctor, reschedule_appointment.starts_at);
  before := hospital_private.lock_appointment(
    before.id, doctor, place, reschedule_appointment.idempotency_key
  );
  known := hospital_private.recall_request(
    reschedule_appointment.idempotency_key, 'reschedule_appointment', payload
  );
  if known is not null then
    return hospital_private.appointment(known);
  end if;
  if before.status not in ('held', 'scheduled') then
    raise exception using
      errcode = 'TRNSN',
      message = 'Only an appointment that is still to come can be moved.';
  end if;

  busy := tstzrange(
    lower(before.busy) + (reschedule_appointment.starts_at - before.starts_at),
    upper(before.busy) + (reschedule_appointment.starts_at - before.starts_at)
  );
  -- Hours that name no room leave it as it is, unless the doctor changes.
  if doctor = before.doctor_id then
    place := coalesce(place, before.room_id);
  end if;
  taken := hospital_private.booking_conflict(doctor, before.patient_id, place, busy, before.id);
  if taken is not null then
    perform hospital_private.raise_conflict(taken);
  end if;
  -- Who may not set rules aside has no right to the column either, so it is named only where it is meant.
  if reschedule_appointment.override_reason is null then
    update hospital.appointments as a
    set starts_at = reschedule_appointment.starts_at,
      doctor_id = doctor
    where a.id = before.id
    returning a.*
    into moved;
  else
    -- For the appointment's own length, which need not be its type's.
    insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
    values (doctor, before.patient_id, busy, reschedule_appointment.override_reason)
    returning id
    into granted;
    update hospital.appointments as a
    set starts_at = reschedule_appointment.starts_at,
      doctor_id = doctor,
      override_id = granted
    where a.id = before.id
    returning a.*
    into moved;
  end if;
  if moved.id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment can no longer be moved.';
  end if;
  perform hospital_private.remember_request(
    reschedule_appointment.idempotency_key, 'reschedule_appointment', payload, moved.id
  );
  return moved;
end;
$$;
comment on function hospital.reschedule_appointment(bigint, timestamptz, bigint, text, text) is
  'Moves an appointment to another time, and to another doctor if one is named, in one step; it keeps its key, its length and its lineage. Raises NTFND, TRNSN, and what bookAppointment raises.';

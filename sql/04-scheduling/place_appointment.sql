-- The one way in which functions make an appointment, be it held or booked: look, lock, look, insert.
-- The exclusion constraints decide; the look gives the clear answer early.
create or replace function hospital_private.place_appointment(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  status text,
  reason text,
  override_id bigint default null,
  series_id bigint default null,
  is_locked boolean default false
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  place bigint;
  busy tstzrange;
  placed hospital.appointments;
  taken text;
begin
  select tstzrange(
    place_appointment.starts_at - make_interval(mins => t.buffer_before_minutes),
    place_appointment.starts_at
      + make_interval(mins => t.duration_minutes + t.buffer_after_minutes)
  )
  into busy
  from hospital.appointment_types as t
  cross join hospital.patients as p
  cross join hospital.doctors as d
  where t.id = place_appointment.appointment_type_id
    and p.id = place_appointment.patient_id
    and d.id = place_appointment.doctor_id;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor or appointment type.';
  end if;
  if place_appointment.starts_at is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Say when.';
  end if;
  if place_appointment.starts_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  -- Most refusals are of a time that is taken: they are looked for before the hours are asked.
  taken := hospital_private.booking_conflict(
    place_appointment.doctor_id, place_appointment.patient_id, null, busy
  );
  if taken is null then
    place := hospital_private.scheduled_room_id(
      place_appointment.doctor_id, place_appointment.starts_at
    );
    taken := hospital_private.booking_conflict(
      place_appointment.doctor_id, place_appointment.patient_id, place, busy
    );
  end if;
  if taken is null then
    if not place_appointment.is_locked then
      perform hospital_private.lock_calendars(
        array[place_appointment.doctor_id], array[place_appointment.patient_id], array[place]
      );
    end if;
    insert into hospital.appointments (
      patient_id, doctor_id, appointment_type_id, starts_at, status, reason, override_id, series_id
    )
    values (
      place_appointment.patient_id,
      place_appointment.doctor_id,
      place_appointment.appointment_type_id,
      place_appointment.starts_at,
      place_appointment.status,
      place_appointment.reason,
      place_appointment.override_id,
      place_appointment.series_id
    )
    on conflict do nothing
    returning *
    into placed;
    if placed.id is not null then
      return placed;
    end if;
    taken := hospital_private.booking_conflict(
      place_appointment.doctor_id, place_appointment.patient_id, place, busy
    );
  end if;
  perform hospital_private.raise_conflict(taken);
  return null;
end;
$$;
comment on function hospital_private.place_appointment(
  bigint, bigint, bigint, timestamptz, text, text, bigint, bigint, boolean
) is
  'Makes an appointment that the caller may make, held or scheduled; the calendars are locked here unless the caller has done it. Raises NTFND, MISSA, PASTT, what the guard of appointments raises, RETRY, and SLOTT, PATBU or ROOMT when doctor, patient or room is taken.';

-- Look, lock, insert. The exclusion constraints decide; the look gives the clear answer early, and
-- the locks keep two bookings of one slot from deadlocking on the way to the constraint.
create or replace function hospital.book_appointment(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  reason text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
  place bigint;
  span tstzrange;
  booked hospital.appointments;
  taken text;
begin
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.id = book_appointment.appointment_type_id;
  if kind.id is null
    or not exists (
      select
      from hospital.patients as p
      where p.id = book_appointment.patient_id
    )
    or not exists (
      select
      from hospital.doctors as d
      where d.id = book_appointment.doctor_id
    )
  then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor or appointment type.';
  end if;
  if book_appointment.starts_at <= now() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;

  place := hospital_private.scheduled_room_id(book_appointment.doctor_id, book_appointment.starts_at);
  span := tstzrange(
    book_appointment.starts_at - make_interval(mins => kind.buffer_before_minutes),
    book_appointment.starts_at
      + make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes)
  );
  taken := hospital_private.booking_conflict(
    book_appointment.doctor_id, book_appointment.patient_id, place, span
  );
  if taken is null then
    perform hospital_private.lock_calendars(
      book_appointment.doctor_id, book_appointment.patient_id, place
    );
    insert into hospital.appointments
      (patient_id, doctor_id, room_id, appointment_type_id, starts_at, reason)
    values (
      book_appointment.patient_id,
      book_appointment.doctor_id,
      place,
      kind.id,
      book_appointment.starts_at,
      book_appointment.reason
    )
    on conflict do nothing
    returning *
    into booked;
    if booked.id is not null then
      return booked;
    end if;
    taken := hospital_private.booking_conflict(
      book_appointment.doctor_id, book_appointment.patient_id, place, span
    );
  end if;

  raise exception using
    errcode = case taken
      when 'patient' then 'PATBU'
      when 'room' then 'ROOMT'
      else 'SLOTT'
    end,
    message = case taken
      when 'patient' then 'The patient has another appointment at that time.'
      when 'room' then 'The room is taken at that time.'
      else 'That time is already taken.'
    end,
    hint = 'Ask freeSlots for times that can be booked.';
end;
$$;
comment on function hospital.book_appointment(bigint, bigint, bigint, timestamptz, text) is
  'Books a time with a doctor for a patient the caller may book for. Raises NTFND, PASTT, NOTBK, OUTWH, and SLOTT, PATBU or ROOMT when doctor, patient or room is taken.';

create or replace function hospital.book_appointment(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  reason text default null,
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
    book_appointment.patient_id,
    book_appointment.doctor_id,
    book_appointment.appointment_type_id,
    extract(epoch from book_appointment.starts_at),
    book_appointment.reason,
    book_appointment.override_reason
  )::text;
  known bigint := hospital_private.begin_request(
    book_appointment.idempotency_key,
    'book_appointment',
    payload,
    array[book_appointment.doctor_id],
    array[book_appointment.patient_id],
    case
      when book_appointment.idempotency_key is not null then array[
        hospital_private.scheduled_room_id(
          book_appointment.doctor_id, book_appointment.starts_at
        )
      ]
    end
  );
  booked hospital.appointments;
begin
  if known is not null then
    return hospital_private.appointment(known);
  end if;

  -- Who holds the very time confirms it.
  select a.*
  into booked
  from hospital.appointments as a
  where a.patient_id = book_appointment.patient_id
    and a.doctor_id = book_appointment.doctor_id
    and a.appointment_type_id = book_appointment.appointment_type_id
    and a.starts_at = book_appointment.starts_at
    and a.status = 'held'
    and a.expires_at > clock_timestamp();
  if booked.id is not null then
    booked := hospital.confirm_hold(booked.id, book_appointment.reason);
  else
    booked := hospital_private.place_appointment(
      book_appointment.patient_id,
      book_appointment.doctor_id,
      book_appointment.appointment_type_id,
      book_appointment.starts_at,
      'scheduled',
      book_appointment.reason,
      override_id => hospital_private.grant_override(
        book_appointment.patient_id,
        book_appointment.doctor_id,
        book_appointment.appointment_type_id,
        book_appointment.starts_at,
        book_appointment.override_reason
      ),
      is_locked => book_appointment.idempotency_key is not null
    );
  end if;
  perform hospital_private.remember_request(
    book_appointment.idempotency_key, 'book_appointment', payload, booked.id
  );
  return booked;
end;
$$;
comment on function hospital.book_appointment(
  bigint, bigint, bigint, timestamptz, text, text, text
) is
  'Books a time with a doctor for a patient the caller may book for; a time the patient holds is confirmed. An override reason, for the doctor and administrators, lifts hours, notice, horizon and daily limits. Repeated under the same idempotency key it answers with the first booking. Raises NTFND, PASTT, NOTBK, OUTWH, NOTIC, TOFAR, LIMIT, RETRY, IDKEY, and SLOTT, PATBU or ROOMT when doctor, patient or room is taken.';

-- Registration and the first appointment stand or fall together: when the slot is taken there is no
-- half-registered patient left behind.
create or replace function hospital.register_patient_and_book(
  given_name text,
  family_name text,
  date_of_birth date,
  sex text,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  email text default null,
  password text default null,
  phone text default null,
  address text default null,
  time_zone text default null,
  reason text default null
)
returns hospital.appointments
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  patient := hospital.register_patient(
    given_name => register_patient_and_book.given_name,
    family_name => register_patient_and_book.family_name,
    date_of_birth => register_patient_and_book.date_of_birth,
    sex => register_patient_and_book.sex,
    email => register_patient_and_book.email,
    password => register_patient_and_book.password,
    phone => register_patient_and_book.phone,
    address => register_patient_and_book.address,
    time_zone => register_patient_and_book.time_zone
  );
  return hospital.book_appointment(
    patient_id => patient.id,
    doctor_id => register_patient_and_book.doctor_id,
    appointment_type_id => register_patient_and_book.appointment_type_id,
    starts_at => register_patient_and_book.starts_at,
    reason => register_patient_and_book.reason
  );
end;
$$;
comment on function hospital.register_patient_and_book(
  text, text, date, text, bigint, bigint, timestamptz, text, text, text, text, text, text
) is
  'Registers a patient and books the first appointment in one transaction. Raises what registerPatient and bookAppointment raise. Lends the owner''s right to write people and appointments to visitors, for the patient just made.';

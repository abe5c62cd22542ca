create or replace function hospital.record_visit(
  appointment_id bigint,
  diagnosis text default null,
  notes text default null,
  diagnosis_codes text[] default null
)
returns hospital.visits
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments;
  visit hospital.visits;
begin
  select a.*
  into appointment
  from hospital.appointments as a
  where a.id = record_visit.appointment_id
  for update;
  -- What was called off the caller may see and not lock: it is refused below, and not unknown.
  if appointment.id is null then
    select a.*
    into appointment
    from hospital.appointments as a
    where a.id = record_visit.appointment_id;
  end if;
  perform hospital_private.found_appointment(appointment);

  if appointment.status in ('scheduled', 'checked_in') then
    update hospital.appointments as a
    set status = 'in_progress'
    where a.id = appointment.id;
  elsif appointment.status <> 'in_progress' then
    raise exception using
      errcode = 'TRNSN',
      message = 'A visit begins from a scheduled appointment or after check-in.';
  end if;
  -- Writing a record is reading it too.
  perform hospital.open_chart(appointment.patient_id, 'treatment');

  insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, diagnosis, notes)
  values (
    appointment.id,
    appointment.patient_id,
    appointment.doctor_id,
    now(),
    record_visit.diagnosis,
    record_visit.notes
  )
  returning *
  into visit;

  if exists (
    select
    from unnest(record_visit.diagnosis_codes) as given (code)
    where not exists (
      select
      from hospital.diagnosis_codes as c
      where c.system = 'icd10cm'
        and c.code = given.code
    )
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such ICD-10-CM code among the diagnoses.';
  end if;
  insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
  select
    visit.id,
    visit.patient_id,
    c.id,
    given.rank
  from unnest(record_visit.diagnosis_codes) with ordinality as given (code, rank)
  join hospital.diagnosis_codes as c
    on c.system = 'icd10cm'
    and c.code = given.code;
  return visit;
end;
$$;
comment on function hospital.record_visit(bigint, text, text, text[]) is
  'Begins the visit of one of the doctor''s own appointments and opens the chart; ICD-10-CM codes come principal first. Raises NTFND, TRNSN, UNKWN, RSTRC, or a conflict when the appointment has a visit.';

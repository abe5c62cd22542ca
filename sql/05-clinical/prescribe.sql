create or replace function hospital.add_prescription(
  visit_id bigint,
  medication_id bigint,
  dosage text,
  duration_days integer default null,
  start_date date default null,
  instructions text default null
)
returns hospital.prescriptions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  visit hospital.visits;
  prescription hospital.prescriptions;
begin
  select v.*
  into visit
  from hospital.visits as v
  where v.id = add_prescription.visit_id
    and v.voided_at is null;
  perform hospital_private.found_visit(visit);
  if not exists (
    select
    from hospital.medications as m
    where m.id = add_prescription.medication_id
      and m.is_active
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such medicine that may be prescribed.';
  end if;
  insert into hospital.prescriptions
    (visit_id, patient_id, medication_id, prescribed_by, dosage, instructions, start_date, duration_days)
  values (
    visit.id,
    visit.patient_id,
    add_prescription.medication_id,
    hospital_private.current_doctor_id(),
    add_prescription.dosage,
    add_prescription.instructions,
    coalesce(
      add_prescription.start_date,
      -- Today, where the patient was seen.
      (
        select (now() at time zone f.time_zone)::date
        from hospital.appointments as a
        join hospital.departments as d
          on d.id = a.department_id
        join hospital.facilities as f
          on f.id = d.facility_id
        where a.id = visit.appointment_id
      )
    ),
    add_prescription.duration_days
  )
  returning *
  into prescription;
  return prescription;
end;
$$;
comment on function hospital.add_prescription(bigint, bigint, text, integer, date, text) is
  'Prescribes a medicine at a visit, from today unless another first day is given. Raises NTFND, UNKWN.';

create or replace function hospital.stop_prescription(prescription_id bigint, reason text)
returns hospital.prescriptions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  prescription hospital.prescriptions;
begin
  update hospital.prescriptions as p
  set stopped_at = now(),
    stop_reason = stop_prescription.reason
  where p.id = stop_prescription.prescription_id
    and p.stopped_at is null
  returning p.*
  into prescription;
  -- Stopping twice is no error and keeps the first reason.
  if prescription.id is null then
    select p.*
    into prescription
    from hospital.prescriptions as p
    where p.id = stop_prescription.prescription_id
      and p.stopped_at is not null;
  end if;
  if prescription.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such prescription in a chart you have open.';
  end if;
  return prescription;
end;
$$;
comment on function hospital.stop_prescription(bigint, text) is
  'Stops a prescription early, with a reason; nothing is deleted. Raises NTFND.';

-- What a function tells of one patient as a whole, it tells those who may read the chart row by row.
create or replace function hospital_private.open_record(patient_id bigint)
returns hospital.patients
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
  is_open boolean;
begin
  -- A role has the right to one of the two, and is asked for it only where it needs it.
  if hospital_private.session_has_role('patient') then
    is_open := open_record.patient_id in (select hospital_private.own_patient_ids());
  else
    is_open := open_record.patient_id in (select hospital_private.open_charts());
  end if;
  select p.*
  into patient
  from hospital.patients as p
  where p.id = open_record.patient_id
    and is_open;
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient whose chart you have open.',
      hint = 'Open the chart with openChart first.';
  end if;
  return patient;
end;
$$;
comment on function hospital_private.open_record(bigint) is
  'The patient, for himself, a proxy, and a doctor or nurse whose session has the chart open. Raises NTFND.';

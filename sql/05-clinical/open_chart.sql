create or replace function hospital.open_chart(patient_id bigint, purpose text default 'treatment')
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  patient hospital.patients;
begin
  perform hospital_private.require_role('doctor', 'nurse');
  select p.*
  into patient
  from hospital.patients as p
  where p.id = open_chart.patient_id
    and p.id in (select hospital_private.roster_patient_ids());
  if patient.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient on your roster.';
  end if;
  insert into audit.chart_accesses (patient_id, account_id, session_id, role, purpose)
  select
    patient.id,
    s.account_id,
    s.id,
    s.role,
    open_chart.purpose
  from hospital_private.current_session() as s
  on conflict on constraint chart_accesses_one_per_session_and_purpose do nothing;
  return patient;
end;
$$;
comment on function hospital.open_chart(bigint, text) is
  'Opens the chart of a patient on the roster for the rest of the session and records who, when and why. Raises UNAUT, PRMSN, NTFND. Lends the owner''s right to write the access log.';

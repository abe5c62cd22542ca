-- Who opens a chart without a ground hears the same as for nobody, except that he is told of a restriction
-- by a patient whom he sees anyway: then he knows what to ask the patient, or that breaking the glass is all
-- that is left.
create or replace function hospital.open_chart(patient_id bigint, purpose text default 'treatment')
returns hospital.patients
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  viewer hospital_private.viewer;
  patient hospital.patients;
  ground audit.chart_accesses;
begin
  perform hospital_private.require_role('doctor', 'nurse');
  viewer := hospital_private.current_viewer();
  -- Whose record it is stays so until it is open.
  perform from hospital.patients as p where p.id = open_chart.patient_id for key share;
  select p.*
  into patient
  from hospital.patients as p
  where p.id = open_chart.patient_id
    and p.erased_at is null;
  ground := hospital_private.chart_ground(patient.id, viewer, open_chart.purpose);
  if ground.tag is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient on your roster.';
  end if;
  perform hospital_private.record_chart_access(ground);
  return patient;
end;
$$;
comment on function hospital.open_chart(bigint, text) is
  'Opens the chart of a patient on the roster in this session for a few hours and records who, when, why and on what ground. Raises UNAUT, PRMSN, NTFND, RSTRC. Lends the owner''s right to write the access log.';

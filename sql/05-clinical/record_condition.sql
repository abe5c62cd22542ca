create or replace function hospital.record_condition(
  patient_id bigint,
  diagnosis_code_id bigint,
  onset_on date,
  abated_on date default null
)
returns hospital.patient_conditions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  condition hospital.patient_conditions;
begin
  if record_condition.patient_id not in (select hospital_private.open_charts()) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient whose chart you have open.',
      hint = 'Open the chart with openChart first.';
  end if;
  insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on, abated_on)
  values (
    record_condition.patient_id,
    record_condition.diagnosis_code_id,
    record_condition.onset_on,
    record_condition.abated_on
  )
  returning *
  into condition;
  return condition;
end;
$$;
comment on function hospital.record_condition(bigint, bigint, date, date) is
  'Adds a condition to the medical history of a patient whose chart is open, with its first and, if over, last local day. Raises NTFND.';

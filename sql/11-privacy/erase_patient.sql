create or replace function hospital.erase_patient(
  patient_id bigint,
  reason text,
  only_what_is_due boolean default false
)
returns hospital.erasures
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_role('administrator');
  if not exists (
    select
    from hospital.patients as p
    where p.id = erase_patient.patient_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  return hospital_private.erase_person(
    erase_patient.patient_id,
    erase_patient.reason,
    coalesce(erase_patient.only_what_is_due, false),
    hospital_private.current_account_id()
  );
end;
$$;
comment on function hospital.erase_patient(bigint, text, boolean) is
  'Erases who a patient was, in all records merged with his, and keeps what was done without his name; what was to come is called off. Asked for only what is due, it takes what need not be kept and leaves the rest. Returns the certificate, the first one when done twice. For administrators. Raises UNAUT, PRMSN, NTFND, LEGHD while a legal hold stands, RETEN with the day until which something must be kept, INWAY while he is being seen, RETRY. Lends the owner''s right to change every table.';

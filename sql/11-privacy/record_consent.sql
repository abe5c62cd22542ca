-- Whom a patient may decide for, and who records for him with what evidence, stands in the policies and in
-- the table; here a consent only gets its beginning, which never lies in the past.
create or replace function hospital.record_consent(
  patient_id bigint,
  scope text,
  staff_member_id bigint default null,
  department_id bigint default null,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  evidence text default null
)
returns hospital.consents
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  consent hospital.consents;
begin
  if not exists (
    select
    from hospital.patients as p
    where p.id = record_consent.patient_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient.';
  end if;
  if not exists (
    select
    from hospital.consent_scopes as s
    where s.code = record_consent.scope
  ) then
    raise exception using
      errcode = 'UNKWN',
      message = 'There is no such scope of a consent.';
  end if;
  if record_consent.ends_at <= greatest(record_consent.starts_at, moment) then
    raise exception using
      errcode = 'PASTT',
      message = 'A consent ends after it begins, and not in the past.';
  end if;
  insert into hospital.consents
    (patient_id, scope, staff_member_id, department_id, granted, evidence)
  values (
    record_consent.patient_id,
    record_consent.scope,
    record_consent.staff_member_id,
    record_consent.department_id,
    tstzrange(greatest(record_consent.starts_at, moment), record_consent.ends_at),
    record_consent.evidence
  )
  returning *
  into consent;
  return consent;
end;
$$;
comment on function hospital.record_consent(
  bigint, text, bigint, bigint, timestamptz, timestamptz, text
) is
  'Records what a patient permits or denies, from now unless another beginning is given, until it ends or is withdrawn; whoever records for the patient says what shows it. Raises NTFND, UNKWN, PASTT, or a conflict when it stands already.';

create or replace function hospital.withdraw_consent(consent_id bigint)
returns hospital.consents
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  consent hospital.consents;
begin
  update hospital.consents as c
  set withdrawn_at = clock_timestamp()
  where c.id = withdraw_consent.consent_id
    and c.withdrawn_at is null
  returning c.*
  into consent;
  -- Withdrawing twice is no error and keeps the first time.
  if consent.id is null then
    select c.*
    into consent
    from hospital.consents as c
    where c.id = withdraw_consent.consent_id;
  end if;
  if consent.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such consent.';
  end if;
  return consent;
end;
$$;
comment on function hospital.withdraw_consent(bigint) is
  'Withdraws a consent now, whether it permitted or denied. Raises NTFND.';

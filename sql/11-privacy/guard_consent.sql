-- A consent is withdrawn and never rewritten: what the patient said then is what was said. Who recorded or
-- withdrew it, and when, is not for the writer to say.
create or replace function hospital_private.guard_consent()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital_private.sessions := hospital_private.current_session();
begin
  if tg_op = 'INSERT' then
    -- Tools load what was recorded elsewhere and before.
    if session.account_id is not null then
      new.recorded_at := clock_timestamp();
      new.recorded_by := session.account_id;
      new.recorded_as := session.role;
      new.withdrawn_at := null;
      new.withdrawn_by := null;
    end if;
    return new;
  end if;
  if hospital_private.is_being_erased(old.patient_id) then
    return new;
  end if;
  if (
      new.id, new.public_uuid, new.patient_id, new.scope, new.staff_member_id, new.department_id,
      new.granted, new.evidence, new.recorded_at, new.recorded_by, new.recorded_as
    ) is distinct from (
      old.id, old.public_uuid, old.patient_id, old.scope, old.staff_member_id, old.department_id,
      old.granted, old.evidence, old.recorded_at, old.recorded_by, old.recorded_as
    )
    or old.withdrawn_at is not null
  then
    raise exception using
      errcode = 'KEPTT',
      message = 'A consent stays as it was given; withdraw it and record another.';
  end if;
  if new.withdrawn_at is not null then
    new.withdrawn_at := clock_timestamp();
    new.withdrawn_by := session.account_id;
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_consent() is
  'Trigger: keeps a consent as it was given, and stamps who recorded and withdrew it. Raises KEPTT. Lends the owner''s right to read the session.';

create or replace trigger _300_guard
  before insert or update on hospital.consents
  for each row execute function hospital_private.guard_consent();

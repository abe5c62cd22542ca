create or replace function hospital.grant_sensitive_access(
  patient_id bigint,
  staff_member_id bigint,
  sensitivity text,
  reason text,
  ends_at timestamptz
)
returns hospital.sensitivity_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  access hospital.sensitivity_grants;
begin
  if coalesce(grant_sensitive_access.ends_at <= now(), true) then
    raise exception using
      errcode = 'PASTT',
      message = 'A grant ends at a time to come.';
  end if;
  insert into hospital.sensitivity_grants
    (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
  values (
    grant_sensitive_access.patient_id,
    grant_sensitive_access.staff_member_id,
    grant_sensitive_access.sensitivity,
    tstzrange(now(), grant_sensitive_access.ends_at),
    grant_sensitive_access.reason,
    hospital_private.current_staff_member_id()
  )
  returning *
  into access;
  return access;
exception
  -- Whom the policies do not let grant it hears the same as of nobody: else he learned whose notes are whose.
  when insufficient_privilege or foreign_key_violation then
    raise exception using
      errcode = 'NTFND',
      message = 'There are no such notes of yours, or no such colleague.';
end;
$$;
comment on function hospital.grant_sensitive_access(bigint, bigint, text, text, timestamptz) is
  'Lets a colleague read a patient''s notes of one sensitivity from now until then; for doctors who signed such a note, and administrators. Raises PASTT, NTFND.';

create or replace function hospital.end_sensitive_access(grant_id bigint)
returns hospital.sensitivity_grants
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  access hospital.sensitivity_grants;
begin
  update hospital.sensitivity_grants as g
  set ended_at = clock_timestamp()
  where g.id = end_sensitive_access.grant_id
    and g.in_force @> clock_timestamp()
  returning g.*
  into access;
  -- What has ended stays as it ended.
  if access.id is null then
    select g.*
    into access
    from hospital.sensitivity_grants as g
    where g.id = end_sensitive_access.grant_id
      and g.granted_by = hospital_private.current_staff_member_id();
  end if;
  if access.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such grant of yours.';
  end if;
  return access;
end;
$$;
comment on function hospital.end_sensitive_access(bigint) is
  'Ends a grant of one''s own at once. Raises NTFND.';

-- Who could read what is part of the record: a grant may end sooner, once, and is otherwise not rewritten.
create or replace function hospital_private.guard_sensitivity_grant()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  free constant text[] := array['ended_at', 'in_force', 'updated_at'];
begin
  -- An erasure, which is the owner's, empties it all the same.
  if current_user = 'hospital_owner' then
    if hospital_private.is_being_erased(old.patient_id) then
      return new;
    end if;
  end if;
  if to_jsonb(new) - free is distinct from to_jsonb(old) - free or old.ended_at is not null then
    raise exception using
      errcode = 'TRNSN',
      message = 'A grant ends sooner, once, and changes in nothing else.';
  end if;
  -- When it ended is not for the writer to say.
  if new.ended_at is not null then
    new.ended_at := clock_timestamp();
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_sensitivity_grant() is
  'Trigger: keeps a grant as it was given, and stamps its end. Raises TRNSN.';

create or replace trigger _300_guard
  before update on hospital.sensitivity_grants
  for each row execute function hospital_private.guard_sensitivity_grant();

-- Who watches the watchman: the audit shows itself only to a session that has said why, and that is on
-- record before the first row is read.
create or replace function hospital.open_audit(reason text)
returns hospital.audit_opening
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  opening hospital.audit_opening;
begin
  perform hospital_private.require_role('auditor');
  insert into audit.audit_openings (account_id, session_id, reason)
  select
    s.account_id,
    s.id,
    btrim(open_audit.reason)
  from hospital_private.current_session() as s
  returning
    audit_openings.reason,
    audit_openings.opened_at
  into opening;
  return opening;
end;
$$;
comment on function hospital.open_audit(text) is
  'Opens the audit for the rest of the auditor''s session and records who, when and why. Raises UNAUT, PRMSN. Lends the owner''s right to write that record.';

create or replace function hospital_private.audit_is_open()
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select
    from hospital_private.current_session() as s
    join audit.audit_openings as o
      on o.session_id = s.id
    where s.role = 'auditor'
  );
$$;
comment on function hospital_private.audit_is_open() is
  'Whether the live session is an auditor''s that has opened the audit; lends the owner''s right to read the record of that.';

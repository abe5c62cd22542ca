-- The root of all row security. A request carries a session's id and secret; the row counts only
-- when both fit, so setting the id alone to somebody else's gets nothing, and ending the session
-- ends every right at once. It counts in its own role alone: a nurse's session opens no policy of
-- the doctors, whatever database role the connection has taken.
-- Every statement under row security asks here, so the plan is one that plpgsql keeps.
create or replace function hospital_private.current_session()
returns hospital_private.sessions
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  claimed_id text := current_setting('infirmary.session_id', true);
  session hospital_private.sessions;
begin
  -- A malformed id must be nobody's and not an error.
  if claimed_id is null
    or claimed_id !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  then
    return null;
  end if;
  select s.*
  into session
  from hospital_private.sessions as s
  join hospital_private.accounts as a
    on a.id = s.account_id
    and a.disabled_at is null
  where s.id = claimed_id::uuid
    and s.secret_hash
      = sha256(convert_to(current_setting('infirmary.session_secret', true), 'UTF8'))
    and s.revoked_at is null
    and s.access_expires_at > statement_timestamp()
    -- Also inside a definer function this is the role that was set for the request.
    and current_setting('role') = 'hospital_' || s.role
    -- Whoever is no longer a doctor here has no open chart left either.
    and (
      s.role <> 'doctor'
      or exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = a.staff_member_id
          and d.is_active
      )
    );
  return session;
end;
$$;
comment on function hospital_private.current_session() is
  'The live session of this request in its own role, or null; lends the owner''s right to read sessions, because no other role may.';

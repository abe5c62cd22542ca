-- The root of all row security. A request carries a session's id and secret; the row counts only
-- when both fit, so setting the id alone to somebody else's gets nothing, and ending the session
-- ends every right at once. It counts in its own role alone: a nurse's session opens no policy of
-- the doctors, whatever database role the connection has taken.
-- A view and no function, so that a helper that asks here does so in its own one query: every
-- statement under row security pays for each query and each call.
create or replace view hospital_private.live_session
with (security_invoker = true)
as
select
  s.id,
  s.account_id,
  s.role,
  a.patient_id,
  a.staff_member_id,
  d.id as doctor_id,
  s as session
from hospital_private.sessions as s
join hospital_private.accounts as a
  on a.id = s.account_id
  and a.disabled_at is null
left join hospital.doctors as d
  on d.staff_member_id = a.staff_member_id
  and d.is_active
  and s.role = 'doctor'
-- A malformed id must be nobody's and not an error.
where s.id = case
    when current_setting('infirmary.session_id', true)
        ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
      then current_setting('infirmary.session_id', true)::uuid
  end
  and s.secret_hash
    = sha256(convert_to(current_setting('infirmary.session_secret', true), 'UTF8'))
  and s.revoked_at is null
  and s.access_expires_at > statement_timestamp()
  -- Also inside a definer function this is the role that was set for the request.
  and current_setting('role') = 'hospital_' || s.role
  -- Whoever is no longer a doctor here has no open chart left either.
  and (s.role <> 'doctor' or d.id is not null);
comment on view hospital_private.live_session is
  'The live session of this request in its own role: one row, or none. Nobody is granted it; the helpers of the policies lend the owner''s right to read it.';
comment on column hospital_private.live_session.id is 'The session.';
comment on column hospital_private.live_session.account_id is 'The account that logged in.';
comment on column hospital_private.live_session.role is 'The role of the session.';
comment on column hospital_private.live_session.patient_id is 'The patient the account belongs to, or null.';
comment on column hospital_private.live_session.staff_member_id is 'The member of staff the account belongs to, or null.';
comment on column hospital_private.live_session.doctor_id is 'The active doctor of a session in the role doctor, or null.';
comment on column hospital_private.live_session.session is 'The whole row of the session.';

create or replace function hospital.log_out()
returns hospital.account
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  who hospital.account;
begin
  who := hospital.current_account();
  update hospital_private.sessions as s
  set revoked_at = clock_timestamp(),
    revoked_reason = 'logged_out'
  where s.id = (select c.id from hospital_private.current_session() as c);
  return who;
end;
$$;
comment on function hospital.log_out() is
  'Ends the session of this request at once and returns whose it was, or null without one. Lends the owner''s right to write the caller''s own session.';

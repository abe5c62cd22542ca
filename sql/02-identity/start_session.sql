-- Secrets are handed out once and only their hashes are kept.
create or replace function hospital_private.start_session(account_id bigint, role text)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  result hospital.login_result;
begin
  result.outcome := 'granted';
  result.session_id := gen_random_uuid();
  result.session_secret := encode(extensions.gen_random_bytes(32), 'hex');
  result.refresh_token := encode(extensions.gen_random_bytes(32), 'hex');
  result.role := start_session.role;
  result.expires_at := clock_timestamp() + interval '15 minutes';

  insert into hospital_private.sessions
    (id, account_id, role, secret_hash, access_expires_at, expires_at, client_address)
  values (
    result.session_id,
    start_session.account_id,
    start_session.role,
    sha256(convert_to(result.session_secret, 'UTF8')),
    result.expires_at,
    clock_timestamp() + interval '12 hours',
    hospital_private.client_address()
  );
  insert into hospital_private.refresh_tokens (token_hash, session_id)
  values (sha256(convert_to(result.refresh_token, 'UTF8')), result.session_id);
  return result;
end;
$$;
comment on function hospital_private.start_session(bigint, text) is
  'Starts a session of 12 hours with 15 minutes of access and returns its secrets; lends the owner''s right to write sessions to the log-in functions alone.';

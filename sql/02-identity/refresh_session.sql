-- A refresh token works once. If a used one comes back, somebody copied it: the whole session ends,
-- for thief and owner alike, and the owner logs in again.
create or replace function hospital.refresh_session(refresh_token text)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  result hospital.login_result;
  token hospital_private.refresh_tokens;
  session hospital_private.sessions;
begin
  result.outcome := 'refused';

  select t.*
  into token
  from hospital_private.refresh_tokens as t
  where t.token_hash = sha256(convert_to(refresh_session.refresh_token, 'UTF8'))
  for update;
  if token.session_id is null then
    return result;
  end if;

  select s.*
  into session
  from hospital_private.sessions as s
  where s.id = token.session_id
  for update;

  if token.used_at is not null then
    update hospital_private.sessions as s
    set revoked_at = clock_timestamp(),
      revoked_reason = 'refresh_reused'
    where s.id = session.id
      and s.revoked_at is null;
    return result;
  end if;
  if session.revoked_at is not null
    or session.expires_at <= clock_timestamp()
    or exists (
      select
      from hospital_private.accounts as a
      where a.id = session.account_id
        and a.disabled_at is not null
    )
  then
    return result;
  end if;

  result.outcome := 'granted';
  result.session_id := session.id;
  result.session_secret := encode(extensions.gen_random_bytes(32), 'hex');
  result.refresh_token := encode(extensions.gen_random_bytes(32), 'hex');
  result.role := session.role;
  result.expires_at := least(clock_timestamp() + interval '15 minutes', session.expires_at);

  update hospital_private.refresh_tokens as t
  set used_at = clock_timestamp()
  where t.token_hash = token.token_hash;
  insert into hospital_private.refresh_tokens (token_hash, session_id)
  values (sha256(convert_to(result.refresh_token, 'UTF8')), session.id);
  update hospital_private.sessions as s
  set secret_hash = sha256(convert_to(result.session_secret, 'UTF8')),
    access_expires_at = result.expires_at
  where s.id = session.id;
  return result;
end;
$$;
comment on function hospital.refresh_session(text) is
  'Exchanges a refresh token for new secrets, once; a token used before ends its session. Lends the owner''s right to write sessions to whoever holds the token.';

-- A refused log-in returns a value and raises nothing: an error would roll back the count of
-- failures, and the lock after five would never close. The password is hashed before the account is
-- looked at, so the time taken tells nobody which addresses exist or are locked. Whoever has been
-- refused too often from one place is told so before anything is hashed: that says nothing about any
-- account, and hashing is what an attacker could keep the server busy with.
create or replace function hospital.log_in(email text, password text, role text default null)
returns hospital.login_result
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  network constant inet := hospital_private.login_network();
  account hospital_private.accounts;
  chosen_role text;
  refused hospital.login_result;
  candidate_hash text;
  password_fits boolean;
begin
  if hospital_private.login_throttled(network) then
    refused.outcome := 'throttled';
    return refused;
  end if;
  refused.outcome := 'refused';

  select a.*
  into account
  from hospital_private.accounts as a
  where a.email = lower(btrim(log_in.email));

  candidate_hash := coalesce(
    account.password_hash,
    -- The hash of a password nobody has, so that an unknown address costs the same time.
    '$2a$10$yqGmPCDhuBXoQd4OMfTOAuXqTwSYbmWRrTCQG8OVqRp3zMqQBVF3q'
  );
  password_fits := octet_length(log_in.password) <= 72
    and candidate_hash = extensions.crypt(log_in.password, candidate_hash);

  if account.id is null then
    perform hospital_private.note_login_failure(network);
    return refused;
  end if;

  -- From here attempts on one account go one by one, so 500 at once are still 500.
  select a.*
  into account
  from hospital_private.accounts as a
  where a.id = account.id
  for update;

  if account.disabled_at is not null or account.locked_until > clock_timestamp() then
    perform hospital_private.note_login_failure(network);
    return refused;
  end if;

  if password_fits is not true or account.password_hash <> candidate_hash then
    update hospital_private.accounts as a
    set failed_attempts = a.failed_attempts + 1,
      locked_until = case
        when a.failed_attempts + 1 >= 5 then clock_timestamp() + interval '15 minutes'
      end
    where a.id = account.id;
    perform hospital_private.note_login_failure(network);
    return refused;
  end if;

  select r.role
  into chosen_role
  from hospital_private.account_roles as r
  where r.account_id = account.id
    and (log_in.role is null or r.role = log_in.role)
    and (
      r.role <> 'doctor'
      or exists (
        select
        from hospital.doctors as d
        where d.staff_member_id = account.staff_member_id
          and d.is_active
      )
    )
  order by r.granted_at, r.role
  limit 1;
  if chosen_role is null then
    return refused;
  end if;

  update hospital_private.accounts as a
  set failed_attempts = 0,
    locked_until = null
  where a.id = account.id;
  return hospital_private.start_session(account.id, chosen_role);
end;
$$;
comment on function hospital.log_in(text, text, text) is
  'Starts a session for an address and password, in the named role or the one held longest; after five failures in a row the account is locked for 15 minutes, and after 100 refusals within 15 minutes the network they came from gets throttled instead of an answer. Lends the owner''s right to read accounts to people who have not logged in yet.';

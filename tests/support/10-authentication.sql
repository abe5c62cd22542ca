-- Playing a person: a real session, and its claims as the API sends them, until the transaction ends.

create function tests.new_session(email text, role text default null)
returns hospital.login_result
language sql
volatile
security definer
set search_path = ''
as $$
  select hospital_private.start_session(a.id, r.role)
  from hospital_private.accounts as a
  join hospital_private.account_roles as r
    on r.account_id = a.id
  where a.email = new_session.email
    and (new_session.role is null or r.role = new_session.role)
  order by r.granted_at, r.role
  limit 1;
$$;
comment on function tests.new_session(text, text) is
  'Starts a session for an account without asking for its password, in the role named or the first it holds.';

-- No SET clause and no definer: both would undo or refuse the change of role.
create function tests.claim(session hospital.login_result)
returns void
language plpgsql
volatile
security invoker
as $$
begin
  perform pg_catalog.set_config('infirmary.session_id', session.session_id::text, true);
  perform pg_catalog.set_config('infirmary.session_secret', session.session_secret, true);
  perform pg_catalog.set_config('infirmary.client_address', '192.0.2.7', true);
  perform pg_catalog.set_config('infirmary.request_id', 'test', true);
  perform pg_catalog.set_config('role', 'hospital_' || session.role, true);
end;
$$;
comment on function tests.claim(hospital.login_result) is
  'Sends the claims of a session, as the API does at the start of every request.';

create function tests.authenticate_as(email text, role text default null)
returns void
language plpgsql
volatile
security invoker
as $$
declare
  session hospital.login_result := tests.new_session(authenticate_as.email, authenticate_as.role);
begin
  if session.session_id is null then
    raise exception 'There is no account % with a role %.', email, coalesce(role, 'at all');
  end if;
  perform tests.claim(session);
end;
$$;
comment on function tests.authenticate_as(text, text) is
  'Makes the rest of the transaction act as an account with a live session of its own.';

create function tests.authenticate_as_role(role text)
returns void
language plpgsql
volatile
security invoker
as $$
declare
  email text;
begin
  case authenticate_as_role.role
    when 'patient' then email := tests.email_of_patient(tests.patient());
    when 'doctor' then email := tests.email_of_doctor(tests.doctor());
    else email := tests.email_of_staff(tests.staff(authenticate_as_role.role));
  end case;
  perform tests.authenticate_as(email, authenticate_as_role.role);
end;
$$;
comment on function tests.authenticate_as_role(text) is
  'Makes the rest of the transaction act as somebody new in the role.';

create function tests.be_anonymous()
returns void
language plpgsql
volatile
security invoker
as $$
begin
  perform tests.clear_authentication();
  perform pg_catalog.set_config('role', 'hospital_anonymous', true);
end;
$$;
comment on function tests.be_anonymous() is
  'Makes the rest of the transaction act as a visitor who has not logged in.';

create function tests.clear_authentication()
returns void
language plpgsql
volatile
security invoker
as $$
begin
  perform pg_catalog.set_config('infirmary.session_id', '', true);
  perform pg_catalog.set_config('infirmary.session_secret', '', true);
  perform pg_catalog.set_config('infirmary.client_address', '', true);
  perform pg_catalog.set_config('infirmary.request_id', '', true);
  perform pg_catalog.set_config('role', 'none', true);
end;
$$;
comment on function tests.clear_authentication() is
  'Makes the rest of the transaction act as the superuser again, with every claim empty.';

create function tests.be_owner()
returns void
language plpgsql
volatile
security invoker
as $$
begin
  perform tests.clear_authentication();
  perform pg_catalog.set_config('role', 'hospital_owner', true);
end;
$$;
comment on function tests.be_owner() is
  'Makes the rest of the transaction act as the owner of the objects, who has no session.';

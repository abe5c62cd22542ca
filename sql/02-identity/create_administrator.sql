-- The first administrator comes from the command line, as the owner; nobody can become one over
-- the API, and there is no default password.
create or replace function hospital_private.create_administrator(email text, password text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  new_id bigint;
begin
  insert into hospital_private.accounts (email, password_hash)
  values (
    lower(btrim(create_administrator.email)),
    hospital_private.hash_password(create_administrator.password)
  )
  returning id
  into new_id;
  insert into hospital_private.account_roles (account_id, role)
  values (new_id, 'administrator');
  return new_id;
end;
$$;
comment on function hospital_private.create_administrator(text, text) is
  'Creates an account with the role administrator and returns its key; callable by the owner alone.';

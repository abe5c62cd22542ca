-- bcrypt reads 72 bytes and ignores the rest, so a longer password would be accepted with any
-- ending: it is refused instead.
create or replace function hospital_private.hash_password(password text)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if hash_password.password is null or char_length(hash_password.password) < 10 then
    raise exception using
      errcode = 'WEAKP',
      message = 'The password is too short.',
      hint = 'Use at least 10 characters.';
  end if;
  if octet_length(hash_password.password) > 72 then
    raise exception using
      errcode = 'PWLEN',
      message = 'The password is too long.',
      hint = 'Use at most 72 bytes.';
  end if;
  return extensions.crypt(hash_password.password, extensions.gen_salt('bf', 10));
end;
$$;
comment on function hospital_private.hash_password(text) is
  'The bcrypt hash (cost 10) of a password; raises WEAKP below 10 characters and PWLEN above 72 bytes.';

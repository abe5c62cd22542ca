-- All keys of persons at once or none: in between nobody could say which key opens what.
create or replace function audit.replace_key(new_key text)
returns bigint
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  old_key bytea;
  wrapped bigint;
begin
  if replace_key.new_key !~ '^[0-9a-f]{64}$' or replace_key.new_key is null then
    raise exception using
      errcode = 'KEYNO',
      message = 'The new key is none: it has 64 hexadecimal digits.',
      hint = 'Make one: openssl rand -hex 32';
  end if;
  -- Whoever is sealing commits first, and nobody begins.
  perform pg_advisory_xact_lock(hashtext('audit.replace_key'));
  old_key := audit.key_encryption_key();
  if old_key = decode(replace_key.new_key, 'hex') then
    return 0::bigint;
  end if;

  update audit.person_keys as k
  set wrapped_key = fresh.initial
    || extensions.encrypt_iv(
      extensions.decrypt_iv(
        substr(k.wrapped_key, 17),
        old_key,
        substr(k.wrapped_key, 1, 16),
        'aes-cbc/pad:pkcs'
      ),
      decode(replace_key.new_key, 'hex'),
      fresh.initial,
      'aes-cbc/pad:pkcs'
    )
  from (
    select
      p.patient_id,
      extensions.gen_random_bytes(16) as initial
    from audit.person_keys as p
    where p.wrapped_key is not null
  ) as fresh
  where fresh.patient_id = k.patient_id;
  get diagnostics wrapped = row_count;

  update audit.key_fingerprints as f
  set replaced_at = now()
  where f.replaced_at is null;
  insert into audit.key_fingerprints (fingerprint)
  values (sha256(decode(replace_key.new_key, 'hex')));
  return wrapped;
end;
$$;
comment on function audit.replace_key(text) is
  'Wraps the keys of all persons with a new key, and returns how many; from the commit on the server must have the new one. Raises KEYNO, KEYOT.';

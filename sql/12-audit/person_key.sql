-- Two writers may need a person's first key at once: the second waits for the row and uses it.
create or replace function audit.person_key(patient_id bigint, may_create boolean)
returns bytea
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  kept audit.person_keys;
  initial bytea;
  fresh bytea;
begin
  select k.*
  into kept
  from audit.person_keys as k
  where k.patient_id = person_key.patient_id;
  if kept.shredded_at is not null then
    return null;
  end if;
  if kept.wrapped_key is null and person_key.may_create then
    initial := extensions.gen_random_bytes(16);
    fresh := extensions.gen_random_bytes(32);
    insert into audit.person_keys as k (patient_id, wrapped_key)
    values (
      person_key.patient_id,
      initial
        || extensions.encrypt_iv(fresh, audit.key_encryption_key(), initial, 'aes-cbc/pad:pkcs')
    )
    on conflict on constraint person_keys_pkey do update
      set wrapped_key = coalesce(k.wrapped_key, excluded.wrapped_key)
      where k.shredded_at is null
    returning k.*
    into kept;
  end if;
  if kept.wrapped_key is null then
    return null;
  end if;
  return extensions.decrypt_iv(
    substr(kept.wrapped_key, 17),
    audit.key_encryption_key(),
    substr(kept.wrapped_key, 1, 16),
    'aes-cbc/pad:pkcs'
  );
end;
$$;
comment on function audit.person_key(bigint, boolean) is
  'The key of a person, made now where allowed; null where there is none, or none any more. Raises KEYNO, KEYOT.';

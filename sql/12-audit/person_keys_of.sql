-- A statement seals many rows of few persons: their keys are made and unwrapped once for all of it.
-- Two writers may need a person's first key at once: the second waits for the row and uses it. All go by
-- the order of the persons, so that no two wait for each other.
create or replace function audit.person_keys_of(patient_ids bigint[], may_create boolean)
returns table (patient_id bigint, key bytea)
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
-- Planning takes longer than running, and one plan suits one person and ten thousand.
set plan_cache_mode = force_generic_plan
as $$
declare
  wrapping_key bytea;
begin
  if person_keys_of.patient_ids = '{}' then
    return;
  end if;
  if person_keys_of.may_create then
    perform audit.hold_key();
  end if;
  if person_keys_of.may_create
    and cardinality(person_keys_of.patient_ids) > (
      select count(*)
      from audit.person_keys as k
      where k.patient_id = any (person_keys_of.patient_ids)
        and k.wrapped_key is not null
    )
  then
    wrapping_key := audit.key_encryption_key();
    insert into audit.person_keys as k (patient_id, wrapped_key)
    select
      p.id,
      p.initial
        || extensions.encrypt_iv(
          extensions.gen_random_bytes(32),
          wrapping_key,
          p.initial,
          'aes-cbc/pad:pkcs'
        )
    from (
      select
        missing.id,
        extensions.gen_random_bytes(16) as initial
      from (
        select unnest(person_keys_of.patient_ids)
        except
        select k.patient_id
        from audit.person_keys as k
        where k.patient_id = any (person_keys_of.patient_ids)
          and (k.wrapped_key is not null or k.shredded_at is not null)
      ) as missing (id)
      order by missing.id
    ) as p
    on conflict on constraint person_keys_pkey do update
      set wrapped_key = coalesce(k.wrapped_key, excluded.wrapped_key)
      where k.shredded_at is null;
  end if;

  for person_keys_of.patient_id, person_keys_of.key in
    select
      k.patient_id,
      k.wrapped_key
    from audit.person_keys as k
    where k.patient_id = any (person_keys_of.patient_ids)
      and k.wrapped_key is not null
  loop
    wrapping_key := coalesce(wrapping_key, audit.key_encryption_key());
    person_keys_of.key := extensions.decrypt_iv(
      substr(person_keys_of.key, 17),
      wrapping_key,
      substr(person_keys_of.key, 1, 16),
      'aes-cbc/pad:pkcs'
    );
    return next;
  end loop;
end;
$$;
comment on function audit.person_keys_of(bigint[], boolean) is
  'The keys of persons, made now where allowed; none of whom there is none, or none any more. Raises KEYNO, KEYOT.';

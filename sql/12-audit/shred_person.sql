-- Also a person of whom nothing was sealed yet: what is written later must find no key to seal with.
create or replace function audit.shred_person(patient_id bigint)
returns void
language sql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
  insert into audit.person_keys as k
    (patient_id, wrapped_key, digest_salt, shredded_at, shredded_after)
  values (
    shred_person.patient_id,
    null,
    null,
    now(),
    coalesce(pg_sequence_last_value('audit.entries_sequence_seq'), 0)
  )
  on conflict on constraint person_keys_pkey do update
    set wrapped_key = null,
      digest_salt = null,
      shredded_at = excluded.shredded_at,
      shredded_after = excluded.shredded_after
    where k.shredded_at is null;
$$;
comment on function audit.shred_person(bigint) is
  'Destroys the key and the salt of a person for good: what the audit sealed of the person can never be opened again, and no new key is made.';

create or replace function audit.open_identity(patient_id bigint, sealed bytea)
returns jsonb
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key bytea := (
    select k.key
    from audit.person_keys_of(array[open_identity.patient_id], false) as k
  );
begin
  if key is null or substr(open_identity.sealed, 1, 8) <> substr(sha256(key), 1, 8) then
    return null;
  end if;
  return convert_from(
    extensions.decrypt_iv(
      substr(open_identity.sealed, 25),
      key,
      substr(open_identity.sealed, 9, 16),
      'aes-cbc/pad:pkcs'
    ),
    'UTF8'
  )::jsonb;
end;
$$;
comment on function audit.open_identity(bigint, bytea) is
  'What seal_identity sealed; null for ever once the person''s key was shredded. Raises KEYNO, KEYOT.';

-- Sealed bytes name their key by the first eight bytes of its digest, so that what another key sealed
-- is known as such and never decrypted to rubbish.
create or replace function audit.seal_identity(patient_id bigint, content jsonb)
returns bytea
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  key bytea := audit.person_key(seal_identity.patient_id, true);
  initial bytea := extensions.gen_random_bytes(16);
begin
  return substr(sha256(key), 1, 8)
    || initial
    || extensions.encrypt_iv(
      convert_to(seal_identity.content::text, 'UTF8'),
      key,
      initial,
      'aes-cbc/pad:pkcs'
    );
end;
$$;
comment on function audit.seal_identity(bigint, jsonb) is
  'Encrypts what identifies a person with the person''s own key and a random initialisation vector; null for a person whose key was shredded. Raises KEYNO, KEYOT.';

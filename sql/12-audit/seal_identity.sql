-- Sealed bytes name their key by the first eight bytes of its digest, so that what another key sealed
-- is known as such and never decrypted to rubbish.
create or replace function audit.seal_identity(key bytea, content jsonb)
returns bytea
language plpgsql
volatile
strict
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  initial constant bytea := extensions.gen_random_bytes(16);
begin
  return substr(sha256(seal_identity.key), 1, 8)
    || initial
    || extensions.encrypt_iv(
      convert_to(seal_identity.content::text, 'UTF8'),
      seal_identity.key,
      initial,
      'aes-cbc/pad:pkcs'
    );
end;
$$;
comment on function audit.seal_identity(bytea, jsonb) is
  'Encrypts what identifies a person with the person''s own key and a random initialisation vector; null for a person whose key was shredded.';

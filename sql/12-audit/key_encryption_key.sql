-- The key that wraps the keys of persons is a setting which the server reads from a file outside its
-- data, so that it is in no dump and no backup of the database. Any session could set another one:
-- what it would seal could never be opened, so the first key's fingerprint is kept and others are refused.
create or replace function audit.key_encryption_key()
returns bytea
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  setting text := current_setting('infirmary.audit_key', true);
  known bytea;
begin
  select f.fingerprint
  into known
  from audit.key_fingerprints as f
  where f.replaced_at is null;
  if setting is null or setting !~ '^[0-9a-f]{64}$' then
    raise exception using
      errcode = 'KEYNO',
      message = 'The key of the audit is missing.',
      hint = 'The server must set infirmary.audit_key from its key file; see docs/audit.md.';
  end if;
  if known is null and pg_has_role(session_user, 'hospital_owner', 'member') then
    insert into audit.key_fingerprints (fingerprint)
    values (sha256(decode(setting, 'hex')))
    on conflict ((replaced_at is null)) where replaced_at is null do nothing;
    select f.fingerprint
    into known
    from audit.key_fingerprints as f
    where f.replaced_at is null;
  end if;
  if known is distinct from sha256(decode(setting, 'hex')) then
    raise exception using
      errcode = 'KEYOT',
      message = 'The key of the audit is not the one with which its persons'' keys were wrapped.',
      hint = 'Put the key file back; in a new hospital the owner records it, see docs/audit.md.';
  end if;
  return decode(setting, 'hex');
end;
$$;
comment on function audit.key_encryption_key() is
  'The key in the file outside the database; a member of the owner''s role records its fingerprint at the first use. Raises KEYNO without a key and KEYOT with another.';

-- Recorded when the hospital is made, before anybody could bring a key of his own.
do $$
begin
  if nullif(current_setting('infirmary.audit_key', true), '') is not null then
    perform audit.key_encryption_key();
  end if;
end;
$$;

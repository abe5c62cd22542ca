-- Keys are made and unwrapped for a statement, and no longer for each row.
-- source removed: sql/12-audit/person_key.sql
drop function audit.person_key(bigint, boolean);
drop function audit.seal_identity(bigint, jsonb);
comment on column audit.entries.sealed_identity is 'What the old row said that identifies the patient, encrypted with the patient''s own key; null where an update left it as it was.';

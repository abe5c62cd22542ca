-- The key that wraps the keys of persons can be replaced: the fingerprints of those before it stay, since
-- backups and the shelf they lie on still need the old ones.
alter table audit.key_fingerprints
  drop column id;
alter table audit.key_fingerprints
  add column id bigint generated always as identity primary key,
  add column replaced_at timestamptz;
create unique index key_fingerprints_one_in_force
  on audit.key_fingerprints ((replaced_at is null))
  where replaced_at is null;
comment on table audit.key_fingerprints is 'Which key wraps the keys of persons, and which ones did: one is in force, so that no session can bring another key.';
comment on column audit.key_fingerprints.id is 'The key of the row, in the order of the keys.';
comment on column audit.key_fingerprints.replaced_at is 'When the next key took its place, or null while it is in force.';

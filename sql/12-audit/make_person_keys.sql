-- Before anything is recorded of a person there is a salt for the digests.
create or replace function audit.make_person_keys()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into audit.person_keys (patient_id)
  select n.id
  from new_rows as n;
  return null;
end;
$$;
comment on function audit.make_person_keys() is
  'Trigger: gives new patients the salt of their digests. Lends the owner''s right to write person keys.';

create or replace trigger _890_make_person_keys
  after insert on hospital.patients
  referencing new table as new_rows
  for each statement execute function audit.make_person_keys();

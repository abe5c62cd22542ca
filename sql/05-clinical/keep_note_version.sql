-- What a draft said before belongs to the record of how it came about.
create or replace function hospital_private.keep_note_version()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.clinical_note_versions
    (note_id, version, patient_id, sensitivity, body, replaced_by)
  values (
    old.id,
    old.version,
    old.patient_id,
    old.sensitivity,
    old.body,
    hospital_private.current_account_id()
  );
  new.version := old.version + 1;
  return new;
end;
$$;
comment on function hospital_private.keep_note_version() is
  'Trigger: keeps the version of a draft that is being edited and counts the next. Lends the owner''s right to write versions, which nobody else has.';

create or replace trigger _200_version
  before update on hospital.clinical_notes
  for each row
  when (
    old.body is distinct from new.body
    or old.sensitivity is distinct from new.sensitivity
  )
  execute function hospital_private.keep_note_version();

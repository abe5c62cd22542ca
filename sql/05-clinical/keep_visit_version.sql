-- A record that was read may have been acted on, so the words it had stay: whoever changes them, on
-- whatever path, leaves the old version behind and says why.
create or replace function hospital_private.keep_visit_version()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.visit_versions
    (visit_id, version, patient_id, diagnosis, notes, amendment_reason, replaced_by)
  values (
    old.id,
    old.version,
    old.patient_id,
    old.diagnosis,
    old.notes,
    old.amendment_reason,
    hospital_private.current_account_id()
  );
  new.version := old.version + 1;
  return new;
end;
$$;
comment on function hospital_private.keep_visit_version() is
  'Trigger: keeps the version of a visit that is being amended and counts the next. Lends the owner''s right to write versions, which nobody else has.';

create or replace trigger _200_version
  before update on hospital.visits
  for each row
  when (
    old.diagnosis is distinct from new.diagnosis
    or old.notes is distinct from new.notes
    or old.amendment_reason is distinct from new.amendment_reason
  )
  execute function hospital_private.keep_visit_version();

-- Triggers answer before row security does, and what they answer about a patient (that the record is
-- closed, that times are held) is not for everybody. So who does not see the patient is refused first, in
-- the words in which row security would refuse him.
create or replace function hospital_private.see_patient()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'hospital_owner' and new.patient_id is not null and not exists (
    select
    from hospital.patients as p
    where p.id = new.patient_id
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'New rows are about patients whom the writer may see.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.see_patient() is
  'Trigger: refuses (42501) to write about a patient whom the writer''s policies do not show.';

create or replace trigger _110_see_patient
  before insert on hospital.appointments
  for each row execute function hospital_private.see_patient();
create or replace trigger _110_see_patient
  before insert on hospital.waitlist_entries
  for each row execute function hospital_private.see_patient();

-- As with patients: who does not see a doctor, because he waits for approval or has left, is refused in
-- the same words as whoever names one that never was.
create or replace function hospital_private.see_doctor()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user = 'hospital_owner' or new.doctor_id is null then
    return new;
  end if;
  if tg_op = 'UPDATE' and new.doctor_id = old.doctor_id then
    return new;
  end if;
  if not exists (
    select
    from hospital.doctors as d
    where d.id = new.doctor_id
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'New rows are about doctors whom the writer may see.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.see_doctor() is
  'Trigger: refuses (42501) to name a doctor whom the writer''s policies do not show.';

create or replace trigger _120_see_doctor
  before insert or update of doctor_id on hospital.appointments
  for each row execute function hospital_private.see_doctor();
create or replace trigger _120_see_doctor
  before insert or update of doctor_id on hospital.waitlist_entries
  for each row execute function hospital_private.see_doctor();
create or replace trigger _120_see_doctor
  before insert or update of doctor_id on hospital.appointment_series
  for each row execute function hospital_private.see_doctor();

-- A visit is what happened at an appointment that took place: on no path can one be hung on an
-- appointment that is still to come, was missed or was called off.
create or replace function hospital_private.guard_visit()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from hospital.appointments as a
    where a.id = new.appointment_id
      and a.status not in ('in_progress', 'completed')
  ) then
    raise exception using
      errcode = 'TRNSN',
      message = 'A visit belongs to an appointment that is in progress or completed.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_visit() is
  'Trigger: refuses a visit of an appointment that is neither in progress nor completed. Raises TRNSN. Lends the owner''s right to read the appointment.';

create or replace trigger _300_guard
  before insert or update of appointment_id on hospital.visits
  for each row execute function hospital_private.guard_visit();

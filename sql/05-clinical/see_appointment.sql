-- That an appointment has not begun is an answer too: who does not see it gets none.
create or replace function hospital_private.see_appointment()
returns trigger
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_user <> 'hospital_owner' and not exists (
    select
    from hospital.appointments as a
    where a.id = new.appointment_id
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = 'New rows are about appointments that the writer may see.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.see_appointment() is
  'Trigger: refuses (42501) to name an appointment that the writer''s policies do not show.';

create or replace trigger _110_see_appointment
  before insert on hospital.visits
  for each row execute function hospital_private.see_appointment();

-- What follows from other columns is written here, whatever the writer says: the end, the buffers,
-- the occupied span, and the moments that belong to a status.
create or replace function hospital_private.derive_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind hospital.appointment_types;
begin
  if tg_op = 'INSERT' or new.appointment_type_id <> old.appointment_type_id then
    select t.*
    into kind
    from hospital.appointment_types as t
    where t.id = new.appointment_type_id;
    new.buffer_before_minutes := coalesce(kind.buffer_before_minutes, 0);
    new.buffer_after_minutes := coalesce(kind.buffer_after_minutes, 0);
    new.ends_at := coalesce(
      new.ends_at,
      new.starts_at + make_interval(mins => kind.duration_minutes)
    );
  end if;
  if new.department_id is null then
    select m.department_id
    into new.department_id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.id = new.doctor_id;
  end if;
  -- An end before the start is left for the constraint to refuse by name.
  if new.ends_at > new.starts_at then
    new.busy := tstzrange(
      new.starts_at - make_interval(mins => new.buffer_before_minutes),
      new.ends_at + make_interval(mins => new.buffer_after_minutes)
    );
  else
    new.busy := 'empty';
  end if;
  if new.status = 'cancelled' then
    new.cancelled_at := coalesce(new.cancelled_at, now());
  else
    new.cancelled_at := null;
    new.cancellation_reason := null;
  end if;
  if new.status <> 'held' then
    new.expires_at := null;
  end if;
  return new;
end;
$$;
comment on function hospital_private.derive_appointment() is
  'Trigger: fills what follows from other columns of an appointment. Lends the owner''s right to read types and departments, which the writer may not see.';

create or replace trigger _200_derive
  before insert or update on hospital.appointments
  for each row execute function hospital_private.derive_appointment();

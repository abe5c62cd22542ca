-- What follows from other columns is written here, whatever the writer says: the end, the buffers,
-- the occupied span, the department, and what belongs to a status alone.
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
  if tg_op = 'INSERT'
    or new.appointment_type_id <> old.appointment_type_id
    or (new.status = 'held' and old.status <> 'held')
  then
    select t.*
    into kind
    from hospital.appointment_types as t
    where t.id = new.appointment_type_id;
  end if;

  if tg_op = 'INSERT' then
    new.buffer_before_minutes := coalesce(kind.buffer_before_minutes, 0);
    new.buffer_after_minutes := coalesce(kind.buffer_after_minutes, 0);
    new.ends_at := coalesce(
      new.ends_at,
      new.starts_at + make_interval(mins => kind.duration_minutes)
    );
  elsif new.appointment_type_id <> old.appointment_type_id then
    new.buffer_before_minutes := coalesce(kind.buffer_before_minutes, 0);
    new.buffer_after_minutes := coalesce(kind.buffer_after_minutes, 0);
    if new.ends_at = old.ends_at then
      new.ends_at := new.starts_at + make_interval(mins => kind.duration_minutes);
    end if;
  elsif new.starts_at <> old.starts_at and new.ends_at = old.ends_at then
    -- Moved as it is: it takes as long as before.
    new.ends_at := new.starts_at + (old.ends_at - old.starts_at);
  end if;

  -- Leave to set one doctor's rules aside says nothing about another's.
  if tg_op = 'UPDATE'
    and new.doctor_id <> old.doctor_id
    and new.override_id = old.override_id
  then
    new.override_id := null;
  end if;

  if new.department_id is null
    or (
      tg_op = 'UPDATE'
      and new.doctor_id <> old.doctor_id
      and new.department_id = old.department_id
    )
  then
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
  if new.status = 'no_show' then
    new.no_show_reason := coalesce(new.no_show_reason, 'did_not_come');
  else
    new.no_show_reason := null;
  end if;
  -- A hold may be shorter than its type says and is never made longer.
  if new.status <> 'held' then
    new.expires_at := null;
  elsif tg_op = 'UPDATE' and old.status = 'held' then
    new.expires_at := least(new.expires_at, old.expires_at);
  else
    new.expires_at := least(
      new.expires_at,
      clock_timestamp() + make_interval(
        mins => case
          when new.waitlist_entry_id is null then kind.hold_minutes
          else kind.offer_minutes
        end
      )
    );
  end if;
  return new;
end;
$$;
comment on function hospital_private.derive_appointment() is
  'Trigger: fills what follows from other columns of an appointment. Lends the owner''s right to read types and departments, which the writer may not see.';

create or replace trigger _200_derive
  before insert or update on hospital.appointments
  for each row execute function hospital_private.derive_appointment();

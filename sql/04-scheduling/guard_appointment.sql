-- Time to come is promised only where it can be kept, on every path: API, SQL as any role, SQL as
-- the owner, load and replay. History is recorded as it happened.
create or replace function hospital_private.guard_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  refusal text;
begin
  select case
      when not d.is_active then 'This doctor cannot be booked.'
      when p.deactivated_at is not null or p.deceased_on is not null
        or p.merged_into_id is not null then 'This patient''s record is closed.'
      when not t.is_bookable then 'This type of appointment cannot be booked.'
    end
  into refusal
  from hospital.doctors as d
  cross join hospital.patients as p
  cross join hospital.appointment_types as t
  where d.id = new.doctor_id
    and p.id = new.patient_id
    and t.id = new.appointment_type_id;
  if refusal is not null then
    raise exception using
      errcode = 'NOTBK',
      message = refusal;
  end if;
  if not hospital_private.working_time(new.doctor_id, new.busy) @> new.busy then
    raise exception using
      errcode = 'OUTWH',
      message = 'The doctor does not work at that time.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_appointment() is
  'Trigger: an appointment becomes or stays active only with a bookable doctor, patient and type and within working time. Raises NOTBK and OUTWH. Lends the owner''s right to read schedules.';

create or replace trigger _300_guard_insert
  before insert on hospital.appointments
  for each row
  when (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
  execute function hospital_private.guard_appointment();

-- Moving through the states of a day asks nothing again: only place, time and coming back do.
create or replace trigger _300_guard_update
  before update on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.doctor_id <> old.doctor_id
      or new.patient_id <> old.patient_id
      or new.appointment_type_id <> old.appointment_type_id
      or new.busy <> old.busy
    )
  )
  execute function hospital_private.guard_appointment();

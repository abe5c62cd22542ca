-- Nurses and others take part in appointments, in calendars of their own. All of them are locked in one
-- call, the only one that may wait.
create or replace function hospital.assign_appointment_staff(
  appointment_id bigint,
  staff_member_id bigint
)
returns hospital.appointment_staff
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.appointment(assign_appointment_staff.appointment_id);
  assigned hospital.appointment_staff;
begin
  if not exists (
    select
    from hospital.staff_members as m
    where m.id = assign_appointment_staff.staff_member_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such member of staff.';
  end if;
  perform hospital_private.lock_calendars(
    array[appointment.doctor_id],
    array[appointment.patient_id],
    array[appointment.room_id],
    array[assign_appointment_staff.staff_member_id],
    appointment_ids => array[appointment.id]
  );
  appointment := hospital_private.lock_appointment(appointment.id);
  if appointment.status not in ('scheduled', 'checked_in', 'in_progress') then
    raise exception using
      errcode = 'TRNSN',
      message = 'Staff are assigned to appointments that stand.';
  end if;

  insert into hospital.appointment_staff (appointment_id, staff_member_id)
  values (appointment.id, assign_appointment_staff.staff_member_id)
  on conflict do nothing
  returning *
  into assigned;
  if assigned.appointment_id is null then
    select s.*
    into assigned
    from hospital.appointment_staff as s
    where s.appointment_id = appointment.id
      and s.staff_member_id = assign_appointment_staff.staff_member_id;
  end if;
  if assigned.appointment_id is null then
    raise exception using
      errcode = 'STAFB',
      message = 'A member of staff is busy then.';
  end if;
  return assigned;
end;
$$;
comment on function hospital.assign_appointment_staff(bigint, bigint) is
  'Lets a member of staff who is no doctor take part in an appointment, whose every change he then follows; for reception, administrators, the appointment''s doctor and nurses of its department. Raises NTFND, TRNSN, RETRY, STAFB, and NOTBK for who cannot be assigned.';

create or replace function hospital.unassign_appointment_staff(
  appointment_id bigint,
  staff_member_id bigint
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(unassign_appointment_staff.appointment_id);
begin
  delete from hospital.appointment_staff as s
  where s.appointment_id = appointment.id
    and s.staff_member_id = unassign_appointment_staff.staff_member_id;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'This member of staff is not assigned to the appointment.';
  end if;
  return appointment;
end;
$$;
comment on function hospital.unassign_appointment_staff(bigint, bigint) is
  'Takes a member of staff out of an appointment and returns the appointment; for reception, administrators, its doctor and nurses of its department. Raises NTFND, RETRY.';

-- What follows from the appointment and the person is written here, whatever the writer says. The row
-- of the appointment is locked against a move, so that the time read is the time kept.
create or replace function hospital_private.derive_appointment_staff()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  gone boolean;
begin
  select
    a.patient_id,
    a.busy,
    a.status
  into
    new.patient_id,
    new.busy,
    new.status
  from hospital.appointments as a
  where a.id = new.appointment_id
  for key share;
  select
    m.job,
    m.left_on < (lower(new.busy) at time zone f.time_zone)::date
  into
    new.job,
    gone
  from hospital.staff_members as m
  join hospital.departments as d
    on d.id = m.department_id
  join hospital.facilities as f
    on f.id = d.facility_id
  where m.id = new.staff_member_id;
  -- A hold may run out, and then nobody's time may stay taken by it.
  if new.status = 'held' then
    raise exception using
      errcode = 'NOTBK',
      message = 'Staff are assigned when the time is booked.';
  end if;
  if new.job = 'doctor' or gone then
    raise exception using
      errcode = 'NOTBK',
      message = 'This member of staff cannot be assigned.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.derive_appointment_staff() is
  'Trigger: fills patient, time and status of an assignment from its appointment and the job from the member of staff. Raises NOTBK for held times, doctors, and who has left. Lends the owner''s right to read what the writer may not see.';

create or replace trigger _200_derive
  before insert on hospital.appointment_staff
  for each row execute function hospital_private.derive_appointment_staff();

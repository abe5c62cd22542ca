-- A record is closed to new appointments: it must not happen while somebody books one. A booking holds
-- the patient's row for key share, which an ordinary update does not even meet.
create or replace function hospital_private.guard_closing()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- An older snapshot would not see the bookings that were made since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'Working hours and records are changed under READ COMMITTED only.';
  end if;
  -- Never waiting, since the row is held already.
  begin
    perform
    from hospital.patients as p
    where p.id = old.id
    for update nowait;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  -- Death is a fact and no wish: it is recorded whatever was promised.
  if new.deceased_on is null and exists (
    select
    from hospital.appointments as a
    where a.patient_id = old.id
      and a.busy && tstzrange(clock_timestamp(), null)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > clock_timestamp())
  ) then
    raise exception using
      errcode = 'INWAY',
      message = 'Appointments are in the way.',
      hint = 'Call them off first; for the patient''s other record they are booked anew.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_closing() is
  'Trigger: a patient''s record is closed only while nobody books, and unless the patient died only without appointments to come. Raises ISOLN, RETRY, INWAY. Lends the owner''s right to read calendars.';

create or replace trigger _300_guard_closing
  before update on hospital.patients
  for each row
  when (
    (old.deactivated_at is null and new.deactivated_at is not null)
    or (old.deceased_on is null and new.deceased_on is not null)
    or (old.merged_into_id is null and new.merged_into_id is not null)
  )
  execute function hospital_private.guard_closing();

-- What is left to come is called off in the same statement, so that the time is free for others and
-- nobody is reminded; what is under way is left to who sees to it.
create or replace function hospital_private.call_off_what_is_to_come(patient_id bigint, reason text)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- The patient's row is held, so nobody is waited for.
  perform hospital_private.lock_in_order('{}');
  perform hospital_private.lock_calendars(
    array_agg(a.doctor_id), array[call_off_what_is_to_come.patient_id], array_agg(a.room_id)
  )
  from hospital.appointments as a
  where a.patient_id = call_off_what_is_to_come.patient_id
    and a.busy && tstzrange(clock_timestamp(), null)
    and a.status in ('held', 'scheduled', 'checked_in');
  begin
    perform
    from hospital.waitlist_entries as w
    where w.patient_id = call_off_what_is_to_come.patient_id
      and w.status = 'waiting'
    order by w.id
    for update nowait;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  update hospital.waitlist_entries as w
  set status = 'withdrawn'
  where w.patient_id = call_off_what_is_to_come.patient_id
    and w.status = 'waiting';
  update hospital.appointments as a
  set status = 'cancelled',
    cancellation_reason = call_off_what_is_to_come.reason
  where a.patient_id = call_off_what_is_to_come.patient_id
    and a.busy && tstzrange(clock_timestamp(), null)
    and a.status in ('held', 'scheduled', 'checked_in');
end;
$$;
comment on function hospital_private.call_off_what_is_to_come(bigint, text) is
  'Cancels, for a reason, what a patient whose row the caller holds still had to come, and takes him off the waitlist. Raises RETRY.';

-- The dead do not come.
create or replace function hospital_private.call_off_for_the_dead()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.call_off_what_is_to_come(new.id, 'patient_deceased');
  return null;
end;
$$;
comment on function hospital_private.call_off_for_the_dead() is
  'Trigger: cancels what a patient who died still had to come and offers its time to others. Raises RETRY. Lends the owner''s right to change appointments and the waitlist, for this alone.';

create or replace trigger _310_call_off
  after update on hospital.patients
  for each row
  when (old.deceased_on is null and new.deceased_on is not null)
  execute function hospital_private.call_off_for_the_dead();

-- The three tables that say when a doctor works, behind the doctor's lock on every path: API, SQL as any
-- role, SQL as the owner.
create or replace function hospital_private.guard_calendar()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  doctors bigint[];
begin
  if tg_op = 'INSERT' then
    doctors := array[new.doctor_id];
  elsif tg_op = 'DELETE' then
    doctors := array[old.doctor_id];
  else
    doctors := array[old.doctor_id, new.doctor_id];
  end if;
  -- Rows that are changed or deleted are locked before a trigger sees them.
  perform hospital_private.close_calendars(doctors, may_wait => tg_op = 'INSERT');
  perform hospital_private.touch_doctors(doctors);
  if tg_op = 'DELETE' then
    return old;
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_calendar() is
  'Trigger: hours change only while nobody books the doctor. Raises ISOLN, RETRY. Lends the owner''s right to mark the doctor''s row.';

create or replace trigger _300_guard_calendar
  before insert or update or delete on hospital.doctor_schedules
  for each row execute function hospital_private.guard_calendar();
create or replace trigger _300_guard_calendar
  before insert or update or delete on hospital.doctor_time_off
  for each row execute function hospital_private.guard_calendar();
create or replace trigger _300_guard_calendar
  before insert or update or delete on hospital.doctor_extra_sessions
  for each row execute function hospital_private.guard_calendar();

-- An extra session stands inside an absence, since it is entered on purpose. So an absence that is
-- entered over one would silently not hold there.
create or replace function hospital_private.guard_time_off()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  added tstzmultirange := tstzmultirange(tstzrange(new.starts_at, new.ends_at));
begin
  if tg_op = 'UPDATE' and new.doctor_id = old.doctor_id then
    added := added - tstzmultirange(tstzrange(old.starts_at, old.ends_at));
  end if;
  if exists (
    select
    from hospital.doctor_extra_sessions as s
    where s.doctor_id = new.doctor_id
      and tstzrange(s.starts_at, s.ends_at) && added
  ) then
    raise exception using
      errcode = 'SESSN',
      message = 'An extra session lies in that time.',
      hint = 'Withdraw it first; addTimeOff does so by itself.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_time_off() is
  'Trigger: an absence is not entered over an extra session. Raises SESSN. Lends the owner''s right to read extra sessions.';

create or replace trigger _310_guard_sessions
  before insert or update on hospital.doctor_time_off
  for each row
  -- An end before the start is left for the constraint to refuse by name.
  when (new.ends_at > new.starts_at)
  execute function hospital_private.guard_time_off();

-- Asked when the transaction ends, so that a week may be rearranged in several statements.
create or replace function hospital_private.keep_appointments()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op <> 'INSERT' then
    perform hospital_private.require_way_free(
      hospital_private.appointments_in_the_way(old.doctor_id)
    );
  end if;
  if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.doctor_id <> old.doctor_id) then
    perform hospital_private.require_way_free(
      hospital_private.appointments_in_the_way(new.doctor_id)
    );
  end if;
  return null;
end;
$$;
comment on function hospital_private.keep_appointments() is
  'Trigger: at the end of a transaction that took hours away, no appointment to come lies outside them. Raises INWAY. Lends the owner''s right to read calendars.';

drop trigger if exists _310_keep_appointments on hospital.doctor_schedules;
create constraint trigger _310_keep_appointments
  after update or delete on hospital.doctor_schedules
  deferrable initially deferred
  for each row execute function hospital_private.keep_appointments();
drop trigger if exists _310_keep_appointments on hospital.doctor_time_off;
create constraint trigger _310_keep_appointments
  after insert or update on hospital.doctor_time_off
  deferrable initially deferred
  for each row execute function hospital_private.keep_appointments();
drop trigger if exists _310_keep_appointments on hospital.doctor_extra_sessions;
create constraint trigger _310_keep_appointments
  after update or delete on hospital.doctor_extra_sessions
  deferrable initially deferred
  for each row execute function hospital_private.keep_appointments();

-- All hours at once are gone without a row that a trigger could see.
create or replace function hospital_private.keep_all_appointments()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.require_way_free(hospital_private.appointments_in_the_way(d.doctor_id))
  from (
    select distinct a.doctor_id
    from hospital.appointments as a
    where a.busy && tstzrange(clock_timestamp(), null)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
  ) as d;
  return null;
end;
$$;
comment on function hospital_private.keep_all_appointments() is
  'Trigger: a table of hours is emptied only where no appointment to come is left outside them. Raises INWAY. Lends the owner''s right to read calendars.';

create or replace trigger _310_keep_all_appointments
  after truncate on hospital.doctor_schedules
  for each statement execute function hospital_private.keep_all_appointments();
create or replace trigger _310_keep_all_appointments
  after truncate on hospital.doctor_extra_sessions
  for each statement execute function hospital_private.keep_all_appointments();

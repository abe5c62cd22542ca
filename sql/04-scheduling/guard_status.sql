-- Which changes of status there are is the history's foreign key; when one may be made is said here,
-- and what may become of a hold.
-- It runs under the row's lock, so that a hold runs out before or after it is confirmed, never between.
create or replace function hospital_private.guard_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  earliest integer;
begin
  if old.status = 'held'
    and new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and old.expires_at <= clock_timestamp()
  then
    raise exception using
      errcode = 'XHOLD',
      message = 'The hold has run out.',
      hint = 'Hold or book the time again; it may still be free.';
  end if;
  -- It would keep another time for as long as an offer is kept.
  if new.status = 'held' and old.waitlist_entry_id is not null then
    raise exception using
      errcode = 'TRNSN',
      message = 'An offered time is taken or refused as it is.';
  end if;
  select t.earliest_minutes_before_start
  into earliest
  from hospital.appointment_status_transitions as t
  where t.from_status = old.status
    and t.to_status = new.status;
  if clock_timestamp() < new.starts_at - make_interval(mins => earliest) then
    raise exception using
      errcode = 'TRNSN',
      message = 'It is too early for that.';
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_status() is
  'Trigger: refuses to confirm or move a hold that has run out, to move an offer, and a change of status before its time. Raises XHOLD, TRNSN. Lends the owner''s right to read the transitions.';

create or replace trigger _300_guard_status
  before update on hospital.appointments
  for each row
  when (
    new.status <> old.status
    or (
      old.status = 'held'
      and (
        new.busy <> old.busy
        or new.doctor_id <> old.doctor_id
        or new.patient_id <> old.patient_id
      )
    )
  )
  execute function hospital_private.guard_status();

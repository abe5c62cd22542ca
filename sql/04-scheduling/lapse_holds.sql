-- A hold that has run out never stands in anybody's way, on any path and with no worker running:
-- whoever takes its time ends it first, in the same transaction.
create or replace function hospital_private.lapse_holds()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  expired bigint[] := array(
    select h.id
    from hospital.appointments as h
    where h.status = 'held'
      and h.expires_at <= clock_timestamp()
      and h.busy && new.busy
      and (
        h.doctor_id = new.doctor_id
        or h.patient_id = new.patient_id
        or h.room_id = new.room_id
      )
      and h.id <> new.id
  );
begin
  if expired = '{}' then
    return new;
  end if;
  -- In order, and never skipping: one that is just being confirmed must be waited for. A transaction
  -- that has locked calendars more than once waits for nothing (lock_in_order says why).
  begin
    if coalesce(nullif(current_setting('infirmary.lock_calls', true), '')::integer, 0) < 2 then
      perform
      from hospital.appointments as h
      where h.id = any (expired)
      order by h.id
      for update;
    else
      perform
      from hospital.appointments as h
      where h.id = any (expired)
      order by h.id
      for update nowait;
    end if;
  exception
    when lock_not_available then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
  end;
  update hospital.appointments as h
  set status = 'lapsed'
  where h.id = any (expired)
    and h.status = 'held';
  return new;
end;
$$;
comment on function hospital_private.lapse_holds() is
  'Trigger: ends the holds that have run out in the time an appointment is about to take. Raises RETRY. Lends the owner''s right to change appointments of others, for this alone.';

create or replace trigger _350_lapse_holds_insert
  before insert on hospital.appointments
  for each row
  when (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
  execute function hospital_private.lapse_holds();

create or replace trigger _350_lapse_holds_update
  before update on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and (
      old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.doctor_id <> old.doctor_id
      or new.patient_id <> old.patient_id
      or new.room_id is distinct from old.room_id
      or new.busy <> old.busy
    )
  )
  execute function hospital_private.lapse_holds();

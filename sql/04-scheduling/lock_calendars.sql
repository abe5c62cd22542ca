-- Two inserts that conflict under an exclusion constraint at the same instant deadlock by design.
-- Whoever books therefore takes the calendars he touches first, in ascending order. Only the first
-- call of a transaction waits; a later one, whose keys may lie below those already held, tries and
-- gives up. So whoever waits holds nothing out of order, and no circle of waiting can close.
create or replace function hospital_private.lock_in_order(locks bigint[])
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  calls integer := coalesce(
    nullif(current_setting('infirmary.lock_calls', true), '')::integer, 0
  );
  held text[] := string_to_array(current_setting('infirmary.locked_calendars', true), ' ');
  key bigint;
begin
  for key in
    select distinct l.key
    from unnest(lock_in_order.locks) as l (key)
    where l.key is not null
    order by l.key
  loop
    -- What is held already is had at once; merely to try would fail on older servers when others wait.
    if calls = 0 or key::text = any (held) then
      perform pg_advisory_xact_lock(key);
    elsif not pg_try_advisory_xact_lock(key) then
      raise exception using
        errcode = 'RETRY',
        message = 'Somebody else is changing the same calendar. Try again.';
    end if;
    held := array_append(held, key::text);
  end loop;
  -- Local, so that a savepoint that takes the locks back takes this back too.
  perform
    set_config('infirmary.lock_calls', (calls + 1)::text, true),
    set_config('infirmary.locked_calendars', coalesce(array_to_string(held, ' '), ''), true);
  -- A writer past the functions takes no such locks and may wait for us while we wait for his row. So
  -- we wait half a second at most: less than the server takes to look for a deadlock and choose a victim.
  if current_setting('lock_timeout')::interval not between '1 ms' and '500 ms' then
    perform set_config('lock_timeout', '500ms', true);
  end if;
end;
$$;
comment on function hospital_private.lock_in_order(bigint[]) is
  'Takes advisory locks until the transaction ends, in ascending order, waiting only when they are its first; nulls are passed over; the transaction then waits half a second at most for any other lock. Raises RETRY when a later one is held by somebody else.';

-- A writer past the functions may hold rows already, so he waits half a second at most: less than the
-- server takes to call it a deadlock and choose a victim, who would be the other.
create or replace function hospital_private.enter_calendar(key bigint, alone boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  is_held boolean := enter_calendar.key::text = any (
    string_to_array(current_setting('infirmary.locked_calendars', true), ' ')
  );
begin
  if is_held then
    -- By a function of ours: it is had at once, whoever waits.
    perform pg_advisory_xact_lock_shared(enter_calendar.key);
    return;
  end if;
  for attempt in 1..50 loop
    if enter_calendar.alone then
      if pg_try_advisory_xact_lock(enter_calendar.key) is not false then
        return;
      end if;
    elsif pg_try_advisory_xact_lock_shared(enter_calendar.key) is not false then
      return;
    end if;
    perform pg_sleep(0.01);
  end loop;
  raise exception using
    errcode = 'RETRY',
    message = 'Somebody else is changing the same calendar. Try again.';
end;
$$;
comment on function hospital_private.enter_calendar(bigint, boolean) is
  'Takes the advisory lock of a calendar until the transaction ends, shared with other bookings or alone; a null key is none. Raises RETRY after half a second.';

-- The last two bits of a key say whose calendar it is.
create or replace function hospital_private.lock_calendars(
  doctor_ids bigint[],
  patient_ids bigint[],
  room_ids bigint[] default '{}',
  staff_member_ids bigint[] default '{}',
  request_key text default null,
  appointment_ids bigint[] default '{}'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.lock_in_order(
    array(select d.id * 4 from unnest(lock_calendars.doctor_ids) as d (id))
      || array(select p.id * 4 + 1 from unnest(lock_calendars.patient_ids) as p (id))
      || array(select r.id * 4 + 2 from unnest(lock_calendars.room_ids) as r (id))
      || array(select s.id * 4 + 3 from unnest(lock_calendars.staff_member_ids) as s (id))
      -- All who take part, whoever asks: a lock that depends on what the caller may see would not hold.
      || array(
        select s.staff_member_id * 4 + 3
        from hospital.appointment_staff as s
        where s.appointment_id = any (lock_calendars.appointment_ids)
      )
      || hospital_private.request_lock(lock_calendars.request_key)
  );
end;
$$;
comment on function hospital_private.lock_calendars(
  bigint[], bigint[], bigint[], bigint[], text, bigint[]
) is
  'Locks the calendars of doctors, patients, rooms and members of staff, of the staff of appointments, and the caller''s request of that key, until the transaction ends; nulls are passed over. Raises RETRY. Lends the owner''s right to see who takes part in an appointment, and tells nobody.';

-- Look, lock, look again: what was read before the lock may have moved meanwhile.
create or replace function hospital_private.lock_appointment(
  appointment_id bigint,
  doctor_id bigint default null,
  room_id bigint default null,
  request_key text default null
)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  before hospital.appointments;
  appointment hospital.appointments;
begin
  select a.*
  into before
  from hospital.appointments as a
  where a.id = lock_appointment.appointment_id;
  perform hospital_private.found_appointment(before);
  loop
    perform hospital_private.lock_calendars(
      array[before.doctor_id, lock_appointment.doctor_id],
      array[before.patient_id],
      array[before.room_id, lock_appointment.room_id],
      request_key => lock_appointment.request_key,
      appointment_ids => array[before.id]
    );
    select a.*
    into appointment
    from hospital.appointments as a
    where a.id = before.id;
    perform hospital_private.found_appointment(appointment);
    exit when (appointment.doctor_id, appointment.patient_id, appointment.room_id)
      is not distinct from (before.doctor_id, before.patient_id, before.room_id);
    before := appointment;
  end loop;
  return appointment;
end;
$$;
comment on function hospital_private.lock_appointment(bigint, bigint, bigint, text) is
  'Locks the calendars an appointment is in, and those of a doctor and a room it is to go to, and returns it as it then stands. Raises NTFND when the caller sees none, RETRY.';

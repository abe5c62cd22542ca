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
  daily_limit integer;
  time_zone text;
  worked tstzmultirange;
  place bigint;
  -- Not the transaction's time: what a long load began with as time to come has passed when it is written.
  moment constant timestamptz := clock_timestamp();
begin
  -- Beside other bookings, apart from changes of the hours: what is read below stays true until this
  -- transaction ends. Where a day has a limit, whoever counts is alone.
  perform hospital_private.enter_calendar(
    new.doctor_id * 4,
    alone => exists (
      select
      from hospital.doctors as d
      cross join hospital.appointment_types as t
      where d.id = new.doctor_id
        and t.id = new.appointment_type_id
        and num_nonnulls(d.daily_limit, t.daily_limit) > 0
    )
  );
  -- An older snapshot reads the past, so there the doctor's row is asked too.
  if current_setting('transaction_isolation') <> 'read committed' then
    perform
    from hospital.doctors as d
    where d.id = new.doctor_id
    for share;
  end if;

  perform
  from hospital.patients as p
  where p.id = new.patient_id
  for key share;
  select case
      when not d.is_active then 'This doctor cannot be booked.'
      when p.deactivated_at is not null or p.deceased_on is not null
        or p.merged_into_id is not null then 'This patient''s record is closed.'
      when not t.is_bookable then 'This type of appointment cannot be booked.'
    end,
    d.daily_limit,
    f.time_zone
  into refusal, daily_limit, time_zone
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  join hospital.departments as o
    on o.id = m.department_id
  join hospital.facilities as f
    on f.id = o.facility_id
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

  select
    coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}'),
    max(s.room_id) filter (where s.starts_at <= new.starts_at and s.ends_at > new.starts_at)
  into worked, place
  from hospital_private.working_shifts(array[new.doctor_id], new.busy) as s;
  -- What has passed is not written anew by anybody who is logged in; tools load history.
  if new.starts_at < moment then
    if (
        (tg_op = 'INSERT' and new.status in ('held', 'scheduled'))
        or (tg_op = 'UPDATE' and new.starts_at <> old.starts_at)
      )
      and hospital_private.current_account_id() is not null
    then
      raise exception using
        errcode = 'PASTT',
        message = 'That time has passed.';
    end if;
  end if;

  -- The room follows from the hours, where they name one, unless another was named.
  if new.room_id is null
    or (
      tg_op = 'UPDATE'
      and new.room_id = old.room_id
      and (new.doctor_id <> old.doctor_id or new.starts_at <> old.starts_at)
    )
  then
    new.room_id := case
      when tg_op = 'UPDATE' and new.doctor_id <> old.doctor_id then place
      else coalesce(place, new.room_id)
    end;
  end if;

  if exists (
    select
    from hospital.appointment_overrides as o
    where o.id = new.override_id
      and o.span @> new.busy
  ) then
    return new;
  end if;
  if not worked @> new.busy
    or hospital_private.is_second_pass(new.starts_at, time_zone)
  then
    raise exception using
      errcode = 'OUTWH',
      message = 'The doctor does not work at that time.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  -- A longer or shorter appointment is no new promise.
  if new.starts_at > moment
    and (
      tg_op = 'INSERT'
      or old.status not in ('held', 'scheduled', 'checked_in', 'in_progress')
      or (new.starts_at, new.doctor_id, new.patient_id, new.appointment_type_id)
        is distinct from (old.starts_at, old.doctor_id, old.patient_id, old.appointment_type_id)
    )
  then
    perform hospital_private.check_booking_rules(new, time_zone, daily_limit);
  end if;
  return new;
end;
$$;
comment on function hospital_private.guard_appointment() is
  'Trigger: an appointment becomes or stays active only with a bookable doctor, patient and type, within working time, and when promised within notice, horizon and daily limits; an override that covers it lifts all but the first. Raises NOTBK, PASTT, OUTWH, NOTIC, TOFAR, LIMIT, NHOLD, RETRY. Lends the owner''s right to read schedules and calendars.';

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
      or new.override_id is distinct from old.override_id
    )
  )
  execute function hospital_private.guard_appointment();

-- Notice, horizon and daily limits bind who promises a time to come, whoever he is; the way around
-- them is an override, which leaves a name and a reason.
create or replace function hospital_private.check_booking_rules(
  appointment hospital.appointments,
  time_zone text,
  daily_limit integer
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  promised hospital.appointments := check_booking_rules.appointment;
  kind hospital.appointment_types;
  day timestamp := date_trunc(
    'day', promised.starts_at at time zone check_booking_rules.time_zone
  );
  held bigint;
  of_doctor bigint;
  of_type bigint;
begin
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.id = promised.appointment_type_id;
  if promised.starts_at < clock_timestamp() + make_interval(mins => kind.notice_minutes) then
    raise exception using
      errcode = 'NOTIC',
      message = 'It is too late to book that time.',
      hint = 'The type of appointment says how long before its start it must be booked.';
  end if;
  if promised.starts_at > clock_timestamp() + make_interval(hours => kind.horizon_days * 24) then
    raise exception using
      errcode = 'TOFAR',
      message = 'That time is too far ahead to be booked.',
      hint = 'The type of appointment says how many days ahead it can be booked.';
  end if;

  if current_setting('transaction_isolation') <> 'read committed'
    and (
      promised.status = 'held'
      or num_nonnulls(check_booking_rules.daily_limit, kind.daily_limit) > 0
    )
  then
    raise exception using
      errcode = 'ISOLN',
      message = 'Where something is counted, appointments are made under READ COMMITTED.';
  end if;

  -- Three unconfirmed times are enough for anybody.
  if promised.status = 'held' and promised.waitlist_entry_id is null then
    perform hospital_private.enter_calendar(promised.patient_id * 4 + 1, alone => true);
    select count(*)
    into held
    from hospital.appointments as a
    where a.patient_id = promised.patient_id
      and a.status = 'held'
      and a.expires_at > clock_timestamp()
      and a.waitlist_entry_id is null
      and a.id <> promised.id;
    if held >= 3 then
      raise exception using
        errcode = 'NHOLD',
        message = 'The patient holds as many times as one may hold at once.',
        hint = 'Confirm or cancel one of them, or let it run out.';
    end if;
  end if;

  if coalesce(check_booking_rules.daily_limit, kind.daily_limit) is null then
    return;
  end if;
  -- Whoever counts is alone in the calendar.
  select
    count(*),
    count(*) filter (where a.appointment_type_id = kind.id)
  into of_doctor, of_type
  from hospital.appointments as a
  where a.doctor_id = promised.doctor_id
    and a.starts_at >= hospital_private.wall_instant(day, check_booking_rules.time_zone)
    and a.starts_at < hospital_private.wall_instant(
      day + interval '1 day', check_booking_rules.time_zone
    )
    and a.status not in ('cancelled', 'no_show', 'lapsed')
    and (a.status <> 'held' or a.expires_at > clock_timestamp())
    and a.id <> promised.id;
  if of_doctor >= check_booking_rules.daily_limit or of_type >= kind.daily_limit then
    raise exception using
      errcode = 'LIMIT',
      message = 'The doctor takes no more appointments on that day.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
end;
$$;
comment on function hospital_private.check_booking_rules(hospital.appointments, text, integer) is
  'Raises NOTIC, TOFAR, NHOLD or LIMIT (and ISOLN where an older snapshot would count) when a promise breaks the notice, horizon, holds or daily limits of its type and doctor. Lends the owner''s right to count a doctor''s day.';

-- Every change of hours through the API begins here: the calendar is closed before anything is read.
create or replace function hospital_private.lock_doctor(doctor_id bigint)
returns text
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  perform hospital_private.lock_calendars(array[lock_doctor.doctor_id], '{}');
  if not exists (
    select
    from hospital.doctors as d
    where d.id = lock_doctor.doctor_id
  ) then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such doctor.';
  end if;
  return hospital_private.doctor_time_zone(lock_doctor.doctor_id);
end;
$$;
comment on function hospital_private.lock_doctor(bigint) is
  'Locks the calendar of a doctor until the transaction ends and returns the zone of the doctor''s hours. Raises NTFND when the caller sees no such doctor, RETRY.';

-- The week is replaced as a whole for a span of dates; what was in force before and after it is kept.
-- A change that is only asked about is made and taken back: the answer cannot differ from the change.
create or replace function hospital.set_doctor_schedule(
  doctor_id bigint,
  shifts hospital.weekly_shift[],
  effective_from date default null,
  effective_until date default null,
  report_conflicts boolean default false
)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  time_zone text := hospital_private.lock_doctor(set_doctor_schedule.doctor_id);
  today date := (clock_timestamp() at time zone time_zone)::date;
  since date := coalesce(set_doctor_schedule.effective_from, today);
  span daterange;
  rule record;
  in_the_way bigint[];
begin
  if set_doctor_schedule.shifts is null then
    raise exception using
      errcode = 'MISSA',
      message = 'Name the shifts of the week; an empty list means that the doctor does not work.';
  end if;
  if since < today then
    raise exception using
      errcode = 'PASTT',
      message = 'Hours of the past are history.';
  end if;
  if set_doctor_schedule.effective_until <= since then
    raise exception using
      errcode = 'check_violation',
      constraint = 'doctor_schedules_effective_not_empty',
      message = 'The hours end before they begin.';
  end if;
  span := daterange(since, set_doctor_schedule.effective_until);

  begin
    for rule in
      select
        s.*,
        array(
          select kept.dates
          from unnest(datemultirange(s.effective) - datemultirange(span)) as kept (dates)
        ) as kept
      from hospital.doctor_schedules as s
      where s.doctor_id = set_doctor_schedule.doctor_id
        and s.effective && span
      order by s.id
    loop
      if rule.kept = '{}' then
        delete from hospital.doctor_schedules as s
        where s.id = rule.id;
      else
        update hospital.doctor_schedules as s
        set effective = rule.kept[1]
        where s.id = rule.id;
      end if;
      -- Seen by everybody, changed by few: what the policies hide from the change is refused aloud.
      if not found then
        raise exception using
          errcode = 'PRMSN',
          message = 'Your role may not do this.';
      end if;
      if cardinality(rule.kept) = 2 then
        insert into hospital.doctor_schedules
          (doctor_id, weekday, start_time, end_time, effective, room_id)
        values (
          rule.doctor_id,
          rule.weekday,
          rule.start_time,
          rule.end_time,
          rule.kept[2],
          rule.room_id
        );
      end if;
    end loop;
    insert into hospital.doctor_schedules
      (doctor_id, weekday, start_time, end_time, effective, room_id)
    select
      set_doctor_schedule.doctor_id,
      s.weekday,
      s.start_time,
      s.end_time,
      span,
      s.room_id
    from unnest(set_doctor_schedule.shifts) as s;
    in_the_way := hospital_private.appointments_in_the_way(set_doctor_schedule.doctor_id);
    perform hospital_private.require_way_free(in_the_way);
  exception
    when sqlstate 'INWAY' then
      if set_doctor_schedule.report_conflicts is not true then
        raise;
      end if;
      return (set_doctor_schedule.doctor_id, false, in_the_way)::hospital.calendar_change;
  end;
  return (set_doctor_schedule.doctor_id, true, in_the_way)::hospital.calendar_change;
end;
$$;
comment on function hospital.set_doctor_schedule(
  bigint, hospital.weekly_shift[], date, date, boolean
) is
  'Makes these shifts a doctor''s whole week, from a local date (today unless given) until the day before another (for ever unless given); shifts already under way that night run to their end. For the doctor, reception and administrators. With reportConflicts, appointments in the way are named and nothing changes. Raises NTFND, MISSA, PASTT, RETRY, INWAY.';

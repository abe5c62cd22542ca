-- Every Tuesday at nine is nine on the clock, not every 168 hours. What a week cannot give is found by
-- trying it, under the locks of the whole series: the rules stand in one place, the guard's.
create or replace function hospital_private.series_occurrences(
  doctor_id bigint,
  starts_at timestamptz,
  occurrences integer,
  every_weeks integer
)
returns table (local_start timestamp, instant timestamptz, room_id bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  zone text := hospital_private.doctor_time_zone(series_occurrences.doctor_id);
begin
  return query
  select
    wall.local,
    real.at,
    hospital_private.scheduled_room_id(series_occurrences.doctor_id, real.at)
  -- More than a series may have is refused by its constraints, and not looked at here.
  from generate_series(0, least(series_occurrences.occurrences, 52) - 1) as place (number)
  cross join lateral (
    select (series_occurrences.starts_at at time zone zone) + make_interval(
      weeks => place.number * greatest(least(series_occurrences.every_weeks, 52), 0)
    ) as local
  ) as wall
  cross join lateral (
    select case
        -- The first is the instant that was asked for.
        when place.number = 0 then series_occurrences.starts_at
        else hospital_private.wall_instant(wall.local, zone)
      end as at
  ) as nearest
  cross join lateral (
    select case
        when place.number = 0 or nearest.at at time zone zone = wall.local then nearest.at
      end as at
  ) as real
  where zone is not null
  order by place.number;
end;
$$;
comment on function hospital_private.series_occurrences(bigint, timestamptz, integer, integer) is
  'The local times of a series, 52 at most, each with its instant, the first of two or null where the clocks jump over it, and the doctor''s room at it. Lends the owner''s right to read schedules.';

create or replace function hospital.book_series(
  patient_id bigint,
  doctor_id bigint,
  appointment_type_id bigint,
  starts_at timestamptz,
  occurrences integer,
  every_weeks integer default 1,
  skip_impossible boolean default false,
  reason text default null,
  idempotency_key text default null
)
returns hospital.appointment_series
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  payload text := jsonb_build_array(
    book_series.patient_id,
    book_series.doctor_id,
    book_series.appointment_type_id,
    extract(epoch from book_series.starts_at),
    book_series.occurrences,
    book_series.every_weeks,
    book_series.skip_impossible,
    book_series.reason
  )::text;
  known bigint;
  rooms bigint[];
  series hospital.appointment_series;
  occurrence record;
  skipped date[] := '{}'::date[];
begin
  -- No type can be booked farther ahead, and the calendar ends some time.
  if book_series.starts_at > clock_timestamp() + interval '3650 days' then
    raise exception using
      errcode = 'TOFAR',
      message = 'That time is too far ahead to be booked.';
  end if;
  rooms := array(
    select o.room_id
    from hospital_private.series_occurrences(
      book_series.doctor_id,
      book_series.starts_at,
      book_series.occurrences,
      book_series.every_weeks
    ) as o
  );
  known := hospital_private.begin_request(
    book_series.idempotency_key,
    'book_series',
    payload,
    array[book_series.doctor_id],
    array[book_series.patient_id],
    rooms
  );
  if known is not null then
    return hospital_private.series(known);
  end if;
  if book_series.starts_at <= clock_timestamp() then
    raise exception using
      errcode = 'PASTT',
      message = 'That time has passed.';
  end if;
  if book_series.idempotency_key is null then
    perform hospital_private.lock_calendars(
      array[book_series.doctor_id], array[book_series.patient_id], rooms
    );
  end if;

  insert into hospital.appointment_series (
    patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences
  )
  select
    p.id,
    d.id,
    t.id,
    o.local_start::date,
    o.local_start::time,
    book_series.every_weeks,
    book_series.occurrences
  from hospital.patients as p
  cross join hospital.doctors as d
  cross join hospital.appointment_types as t
  cross join hospital_private.series_occurrences(d.id, book_series.starts_at, 1, 1) as o
  where p.id = book_series.patient_id
    and d.id = book_series.doctor_id
    and t.id = book_series.appointment_type_id
  returning *
  into series;
  if series.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such patient, doctor or appointment type.';
  end if;

  for occurrence in
    select
      o.local_start,
      o.instant
    from hospital_private.series_occurrences(
      series.doctor_id, book_series.starts_at, series.occurrences, series.every_weeks
    ) as o
  loop
    begin
      if occurrence.instant is null then
        raise exception using
          errcode = 'OUTWH',
          message = 'The clocks do not show that time.';
      end if;
      perform hospital_private.place_appointment(
        series.patient_id,
        series.doctor_id,
        series.appointment_type_id,
        occurrence.instant,
        'scheduled',
        book_series.reason,
        series_id => series.id,
        is_locked => true
      );
    exception
      when sqlstate 'OUTWH' or sqlstate 'NOTIC' or sqlstate 'TOFAR' or sqlstate 'LIMIT'
        or sqlstate 'SLOTT' or sqlstate 'PATBU' or sqlstate 'ROOMT'
      then
        if book_series.skip_impossible is not true then
          raise exception using
            errcode = 'SRIES',
            message = 'Not every date of the series can be booked.',
            hint = 'Choose another time, or ask for the impossible dates to be skipped.';
        end if;
        skipped := skipped || occurrence.local_start::date;
    end;
  end loop;
  if cardinality(skipped) = series.occurrences then
    raise exception using
      errcode = 'SRIES',
      message = 'No date of the series can be booked.',
      hint = 'Ask freeSlots for times that can be booked.';
  end if;
  if skipped <> '{}' then
    update hospital.appointment_series as s
    set skipped_dates = skipped
    where s.id = series.id
    returning s.*
    into series;
  end if;
  perform hospital_private.remember_request(
    book_series.idempotency_key, 'book_series', payload, series.id
  );
  return series;
end;
$$;
comment on function hospital.book_series(
  bigint, bigint, bigint, timestamptz, integer, integer, boolean, text, text
) is
  'Books the same local time every so many weeks, 52 times at most, all or none; when impossible dates are to be skipped, skippedDates names them. A date is impossible where bookAppointment would refuse it or the clocks jump over its time. Repeated under the same idempotency key it answers with the first series. Raises NTFND, PASTT, TOFAR, NOTBK, RETRY, IDKEY, and SRIES when a date, or with skipping every date, is impossible.';

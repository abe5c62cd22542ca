-- The one definition of when a doctor can be seen. The finder reads it and the guard on
-- appointments enforces it, so what is offered books and what is refused was not offered.
create or replace function hospital_private.working_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  zone as (
    select f.time_zone as name
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = working_time.doctor_id
      and d.is_active
      -- A series without an end would never end.
      and isfinite(lower(working_time.span))
      and isfinite(upper(working_time.span))
  ),
  shifts as (
    select
      (day.local + r.start_time) at time zone z.name as starts_at,
      (day.local + r.end_time
        + case when r.end_time <= r.start_time then interval '1 day' else interval '0' end
      ) at time zone z.name as ends_at
    from zone as z
    -- Of timestamps, not dates: a series of dates becomes one of instants, midnights of whatever zone
    -- the connection happens to be set to.
    cross join lateral generate_series(
      -- A shift of the evening before may reach into the span.
      date_trunc('day', lower(working_time.span) at time zone z.name) - interval '1 day',
      date_trunc('day', upper(working_time.span) at time zone z.name),
      interval '1 day'
    ) as day (local)
    join hospital.doctor_schedules as r
      on r.doctor_id = working_time.doctor_id
      and r.weekday = extract(isodow from day.local)
      and r.effective @> day.local::date
  ),
  worked as (
    select coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}') as time
    from shifts as s
    where s.starts_at < s.ends_at
  ),
  away as (
    select coalesce(range_agg(tstzrange(o.starts_at, o.ends_at)), '{}') as time
    from hospital.doctor_time_off as o
    where o.doctor_id = working_time.doctor_id
      and tstzrange(o.starts_at, o.ends_at) && working_time.span
  )
  select worked.time * tstzmultirange(working_time.span) - away.time
  from worked
  cross join away;
$$;
comment on function hospital_private.working_time(bigint, tstzrange) is
  'The time in the span that an active doctor works: weekly hours in the facility''s zone less time off. Lends the owner''s right to read schedules and absences without their reasons.';

create or replace function hospital_private.available_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select hospital_private.working_time(available_time.doctor_id, available_time.span) - coalesce(
    (
      select range_agg(a.busy)
      from hospital.appointments as a
      where a.doctor_id = available_time.doctor_id
        and a.busy && available_time.span
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
    ),
    '{}'
  );
$$;
comment on function hospital_private.available_time(bigint, tstzrange) is
  'The time in the span in which a doctor works and is not taken. Lends the owner''s right to see when appointments are, not whose.';

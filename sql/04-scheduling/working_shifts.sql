-- The one definition of when doctors work and where. Working time, free slots and rooms derive from it,
-- and the guard on appointments enforces it: what is offered books, what is refused was not offered.
create or replace function hospital_private.working_shifts(doctor_ids bigint[], span tstzrange)
returns table (doctor_id bigint, room_id bigint, starts_at timestamptz, ends_at timestamptz)
language plpgsql
stable
security definer
rows 20
set search_path = pg_catalog, pg_temp
-- Planning takes many times as long as running, and one plan suits one doctor and two hundred.
set plan_cache_mode = force_generic_plan
as $$
declare
  -- A series of days without an end would never end.
  asked constant tstzrange := working_shifts.span * '[1900-01-01 00:00Z, 3000-01-01 00:00Z)';
begin
  if isempty(asked)
    or (isfinite(lower(working_shifts.span)) and isfinite(upper(working_shifts.span))) is not true
  then
    return;
  end if;

  return query
  with
  doctor as materialized (
    select
      d.id,
      f.time_zone as zone
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = any (working_shifts.doctor_ids)
      and d.is_active
  ),
  -- Local days, each with the distance of its clocks from UTC. Of timestamps, not dates: a series of
  -- dates becomes one of instants, midnights of whatever zone the connection happens to be set to.
  day as materialized (
    select
      z.zone,
      local.midnight,
      extract(isodow from local.midnight)::smallint as weekday,
      around.offset_before = around.offset_after as is_plain,
      (local.midnight at time zone 'UTC') - around.offset_before as starts_at
    from (
      select distinct d.zone
      from doctor as d
    ) as z
    cross join lateral generate_series(
      -- A shift of the evening before may reach into the span, and so may one of the day after where
      -- the clocks are set back over midnight.
      date_trunc('day', lower(asked) at time zone z.zone) - interval '1 day',
      date_trunc('day', upper(asked) at time zone z.zone) + interval '1 day',
      interval '1 day'
    ) as local (midnight)
    cross join lateral (
      -- The day and the night after it, wide enough for every zone.
      select
        (local.midnight - interval '24 hours') at time zone 'UTC' at time zone z.zone
          - (local.midnight - interval '24 hours') as offset_before,
        (local.midnight + interval '72 hours') at time zone 'UTC' at time zone z.zone
          - (local.midnight + interval '72 hours') as offset_after
    ) as around
  ),
  -- Apart from the days: the index on the dates of all the doctors' rules is no way into them.
  rule as materialized (
    select
      d.zone,
      r.doctor_id,
      r.room_id,
      r.weekday,
      r.effective,
      r.start_time::interval as opens,
      r.end_time::interval
        + case when r.end_time <= r.start_time then interval '24 hours' else interval '0' end
        as closes
    from doctor as d
    join hospital.doctor_schedules as r
      on r.doctor_id = d.id
  ),
  weekly as (
    select
      r.doctor_id,
      r.room_id,
      case
        when y.is_plain then y.starts_at + r.opens
        else hospital_private.wall_instant(y.midnight + r.opens, y.zone)
      end as starts_at,
      case
        when y.is_plain then y.starts_at + r.closes
        else hospital_private.wall_instant(y.midnight + r.closes, y.zone)
      end as ends_at
    from rule as r
    join day as y
      on y.zone = r.zone
      and y.weekday = r.weekday
      and r.effective @> y.midnight::date
  ),
  -- A rule may begin while the night shift of the one before it still runs: that keeps its time.
  disjoint as materialized (
    select
      w.doctor_id,
      w.room_id,
      w.starts_at,
      w.ends_at,
      tstzrange(w.starts_at, w.ends_at) as span
    from (
      select
        w.doctor_id,
        w.room_id,
        greatest(
          w.starts_at,
          max(w.ends_at) over (
            partition by w.doctor_id
            order by w.starts_at
            rows between unbounded preceding and 1 preceding
          )
        ) as starts_at,
        w.ends_at
      from weekly as w
    ) as w
    where w.starts_at < w.ends_at
      and w.starts_at < upper(asked)
      and w.ends_at > lower(asked)
  ),
  extra as materialized (
    select
      d.id as doctor_id,
      s.room_id,
      tstzrange(s.starts_at, s.ends_at) as span
    from doctor as d
    join hospital.doctor_extra_sessions as s
      on s.doctor_id = d.id
      and tstzrange(s.starts_at, s.ends_at) && asked
  ),
  -- Where the weekly hours do not hold: nobody works, or an extra session says where.
  replaced as materialized (
    select
      s.doctor_id,
      range_agg(s.span) as time
    from (
      select
        d.id as doctor_id,
        tstzrange(o.starts_at, o.ends_at) as span
      from doctor as d
      join hospital.doctor_time_off as o
        on o.doctor_id = d.id
        and tstzrange(o.starts_at, o.ends_at) && asked
      union all
      select
        e.doctor_id,
        e.span
      from extra as e
    ) as s
    group by s.doctor_id
  ),
  piece as (
    select
      w.doctor_id,
      w.room_id,
      w.starts_at,
      w.ends_at
    from disjoint as w
    where not exists (
      select
      from replaced as x
      where x.doctor_id = w.doctor_id
        and x.time && w.span
    )
    union all
    select
      w.doctor_id,
      w.room_id,
      lower(rest.span),
      upper(rest.span)
    from disjoint as w
    join replaced as x
      on x.doctor_id = w.doctor_id
      and x.time && w.span
    cross join lateral unnest(tstzmultirange(w.span) - x.time) as rest (span)
    union all
    select
      e.doctor_id,
      e.room_id,
      lower(e.span),
      upper(e.span)
    from extra as e
  )
  select
    p.doctor_id,
    p.room_id,
    greatest(p.starts_at, lower(asked)),
    least(p.ends_at, upper(asked))
  from piece as p
  where p.starts_at < upper(asked)
    and p.ends_at > lower(asked);
end;
$$;
comment on function hospital_private.working_shifts(bigint[], tstzrange) is
  'The disjoint stretches within the span that active doctors work, with their rooms: weekly hours in the facility''s zone less time off, plus extra sessions. Lends the owner''s right to read schedules and absences without their reasons.';

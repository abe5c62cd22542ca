-- Free time in which nothing may start: a wall-clock time that comes for the second time, and a day on
-- which as many are booked as the doctor takes. Both are rare, so they are asked apart from free time.
create or replace function hospital_private.barred_starts(
  doctor_ids bigint[],
  kind hospital.appointment_types,
  span tstzrange
)
returns table (doctor_id bigint, barred tstzmultirange)
language plpgsql
stable
security definer
rows 1
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  with
  doctor as materialized (
    select
      d.id,
      d.daily_limit,
      f.time_zone as zone
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    where d.id = any (barred_starts.doctor_ids)
  ),
  -- Days on which clocks are set back. What is repeated may reach into the day after.
  repeated as materialized (
    select
      z.zone,
      quarter.starts_at
    from (
      select distinct d.zone
      from doctor as d
    ) as z
    cross join lateral generate_series(
      date_bin('15 minutes', lower(barred_starts.span), '2000-01-01 00:00Z') - interval '24 hours',
      upper(barred_starts.span),
      interval '24 hours'
    ) as day (starts_at)
    cross join lateral generate_series(
      day.starts_at,
      day.starts_at + interval '48 hours',
      interval '15 minutes'
    ) as quarter (starts_at)
    where (day.starts_at + interval '24 hours') at time zone z.zone
        < (day.starts_at at time zone z.zone) + interval '24 hours'
      and hospital_private.is_second_pass(quarter.starts_at, z.zone)
  ),
  full_day as (
    select
      d.id as doctor_id,
      d.zone,
      day.midnight
    from doctor as d
    cross join lateral (
      select
        date_trunc('day', a.starts_at at time zone d.zone) as midnight,
        count(*) as of_doctor,
        count(*) filter (where a.appointment_type_id = (barred_starts.kind).id) as of_type
      from hospital.appointments as a
      where a.doctor_id = d.id
        and a.starts_at >= lower(barred_starts.span) - interval '48 hours'
        and a.starts_at < upper(barred_starts.span) + interval '48 hours'
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress', 'completed')
        and (a.expires_at is null or a.expires_at > clock_timestamp())
      group by 1
    ) as day
    where (d.daily_limit is not null or (barred_starts.kind).daily_limit is not null)
      and (
        day.of_doctor >= d.daily_limit
        or day.of_type >= (barred_starts.kind).daily_limit
      )
  )
  select
    b.doctor_id,
    range_agg(b.span)
  from (
    select
      d.id as doctor_id,
      tstzrange(r.starts_at, r.starts_at + interval '15 minutes') as span
    from repeated as r
    join doctor as d
      on d.zone = r.zone
    union all
    select
      f.doctor_id,
      tstzrange(
        hospital_private.wall_instant(f.midnight, f.zone),
        hospital_private.wall_instant(f.midnight + interval '1 day', f.zone)
      )
    from full_day as f
  ) as b
  group by b.doctor_id;
end;
$$;
comment on function hospital_private.barred_starts(bigint[], hospital.appointment_types, tstzrange) is
  'The quarters of an hour within the span in which nothing of the type may start with a doctor although he is free. Lends the owner''s right to count a doctor''s day.';

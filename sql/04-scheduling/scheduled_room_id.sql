create or replace function hospital_private.scheduled_room_id(doctor_id bigint, starts_at timestamptz)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select r.room_id
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  join hospital.departments as p
    on p.id = m.department_id
  join hospital.facilities as f
    on f.id = p.facility_id
  cross join lateral (
    select scheduled_room_id.starts_at at time zone f.time_zone as time
  ) as local
  join hospital.doctor_schedules as r
    on r.doctor_id = d.id
  -- The shift started today, or last evening and runs over midnight.
  join generate_series(0, 1) as days_ago
    on r.weekday = extract(isodow from local.time - make_interval(days => days_ago))
    and r.effective @> local.time::date - days_ago
    and r.minutes @> (
      extract(hour from local.time) * 60 + extract(minute from local.time) + 1440 * days_ago
    )::integer
  where d.id = scheduled_room_id.doctor_id
  order by days_ago
  limit 1;
$$;
comment on function hospital_private.scheduled_room_id(bigint, timestamptz) is
  'The room a doctor''s weekly hours name at an instant, or null. Lends the owner''s right to read schedules.';

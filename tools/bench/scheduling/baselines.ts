/** The candidates of both baselines: every quarter of an hour of every shift, made up before anything is looked at. */
const candidates = `
  with
  shift as (
    select
      r.doctor_id,
      r.room_id,
      (day.midnight + r.start_time) at time zone f.time_zone as starts_at,
      (
        day.midnight + r.end_time
          + case when r.end_time <= r.start_time then interval '1 day' else interval '0' end
      ) at time zone f.time_zone as ends_at
    from hospital.doctor_schedules as r
    join hospital.doctors as d
      on d.id = r.doctor_id
      and d.is_active
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    join hospital.departments as p
      on p.id = m.department_id
    join hospital.facilities as f
      on f.id = p.facility_id
    cross join lateral generate_series(
      date_trunc('day', $2 at time zone f.time_zone) - interval '1 day',
      date_trunc('day', $3 at time zone f.time_zone),
      interval '1 day'
    ) as day (midnight)
    where r.doctor_id = any ($1)
      and r.weekday = extract(isodow from day.midnight)
      and r.effective @> day.midnight::date
    union all
    select
      e.doctor_id,
      e.room_id,
      e.starts_at,
      e.ends_at
    from hospital.doctor_extra_sessions as e
    where e.doctor_id = any ($1)
      and tstzrange(e.starts_at, e.ends_at) && tstzrange($2, $3)
  ),
  slot as (
    select
      s.doctor_id,
      s.room_id,
      q.starts_at
    from shift as s
    cross join lateral generate_series(
      s.starts_at, s.ends_at - interval '30 minutes', interval '15 minutes'
    ) as q (starts_at)
    where q.starts_at >= $2
      and q.starts_at < $3
  )`;

const taken = (key: string): string => `
      select
      from hospital.appointments as a
      where a.${key} = s.${key}
        and a.busy && tstzrange(s.starts_at, s.starts_at + interval '30 minutes')
        and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (a.expires_at is null or a.expires_at > clock_timestamp())`;

const away = `
      select
      from hospital.doctor_time_off as o
      where o.doctor_id = s.doctor_id
        and tstzrange(o.starts_at, o.ends_at) && tstzrange(s.starts_at, s.starts_at + interval '30 minutes')`;

const result = `
  select
    s.doctor_id,
    s.room_id,
    s.starts_at
  from slot as s`;

const define = (name: string, body: string): string => `
create function bench.${name}(doctors bigint[], starts_from timestamptz, starts_before timestamptz)
returns table (doctor_id bigint, room_id bigint, starts_at timestamptz)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- A small hospital is read by its indexes, too, as a large one is.
set enable_seqscan = off
as $$
  ${body}
  order by
    3,
    1;
$$;`;

/**
 * The usual ways to find free consultations, by which the finder is measured. Each uses the same indexes and lends the
 * owner's right as the finder does, so that a patient gets the whole answer from them, too.
 */
export const baselines = `
create schema bench;
grant usage on schema bench to hospital_patient, hospital_administrator;
${define(
  'not_exists',
  `${candidates} ${result}
  where not exists (${taken('doctor_id')})
    and not exists (${taken('room_id')})
    and not exists (${away})`,
)}
${define(
  'lateral_join',
  `${candidates} ${result}
  left join lateral (${taken('doctor_id').replace('select', 'select 1 as found')} limit 1) as of_doctor
    on true
  left join lateral (${taken('room_id').replace('select', 'select 1 as found')} limit 1) as of_room
    on true
  left join lateral (${away.replace('select', 'select 1 as found')} limit 1) as off
    on true
  where of_doctor.found is null
    and of_room.found is null
    and off.found is null`,
)}
grant execute on all functions in schema bench to hospital_patient;
-- The same row without and with what keeps two from one time.
create table bench.plain (like hospital.appointments including defaults including identity, primary key (id));
create table bench.guarded (
  like hospital.appointments including defaults including identity,
  primary key (id),
  exclude using gist (doctor_id with =, busy with &&)
    where (status in ('held', 'scheduled', 'checked_in', 'in_progress'))
);
grant select, insert on bench.plain, bench.guarded to hospital_administrator;`;

-- What is offered is what the guard on appointments and the exclusion constraints accept, no more and no
-- less. Nothing is asked once per slot: calendars are read once per doctor and room, as multiranges.
create or replace function hospital.free_slots(
  doctor_id bigint default null,
  department_id bigint default null,
  appointment_type_id bigint default null,
  starts_from timestamptz default null,
  starts_before timestamptz default null
)
returns setof hospital.free_slot
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  kind hospital.appointment_types;
  -- Not the transaction's time: the guard asks the clock, too.
  moment constant timestamptz := clock_timestamp();
  earliest timestamptz;
  latest timestamptz;
  horizon timestamptz;
  before interval;
  after interval;
  length interval;
  doctors bigint[];
begin
  if num_nonnulls(free_slots.doctor_id, free_slots.department_id) = 0 then
    raise exception using
      errcode = 'MISSA',
      message = 'Name a doctor or a department.';
  end if;
  kind := hospital_private.bookable_type(free_slots.appointment_type_id);
  earliest := greatest(coalesce(free_slots.starts_from, moment), moment);
  horizon := moment + make_interval(hours => kind.horizon_days * 24);
  if earliest > horizon then
    return;
  end if;
  latest := greatest(
    coalesce(
      free_slots.starts_before,
      coalesce(free_slots.starts_from, moment) + interval '7 days'
    ),
    earliest
  );
  -- Added and not subtracted: infinity less an instant is an error on older servers.
  if latest > earliest + interval '62 days' then
    raise exception using
      errcode = 'SPANL',
      message = 'The span is too long.',
      hint = 'Ask for at most 62 days at a time.';
  end if;
  earliest := greatest(earliest, moment + make_interval(mins => kind.notice_minutes));
  -- The horizon itself can be booked.
  latest := least(latest, horizon + interval '1 microsecond');
  if earliest >= latest then
    return;
  end if;
  before := make_interval(mins => kind.buffer_before_minutes);
  length := make_interval(mins => kind.duration_minutes);
  after := make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes);
  select array_agg(d.id)
  into doctors
  from hospital.doctors as d
  join hospital.staff_members as m
    on m.id = d.staff_member_id
  where d.is_active
    and (free_slots.doctor_id is null or d.id = free_slots.doctor_id)
    and (free_slots.department_id is null or m.department_id = free_slots.department_id);

  return query
  with
  calendar as materialized (
    -- The last slot may start at the end of the span and reach beyond it.
    select tstzrange(earliest - before, latest + after) as span
  ),
  shift as materialized (
    select s.*
    from calendar as c
    cross join lateral hospital_private.working_shifts(doctors, c.span) as s
  ),
  -- A row for each doctor and room in which he works, or none. Where it is one room only, every slot
  -- is in it, and nothing more need be asked.
  place as (
    select
      s.doctor_id,
      s.room_id,
      range_agg(tstzrange(s.starts_at, s.ends_at)) as time
    from shift as s
    group by
      s.doctor_id,
      s.room_id
  ),
  doctor as (
    select
      p.doctor_id,
      count(*) > 1 as moves,
      range_agg(p.time) as works
    from place as p
    group by p.doctor_id
  ),
  taken as materialized (
    select t.*
    from calendar as c
    cross join lateral hospital_private.taken_time(
      doctors,
      array(select distinct p.room_id from place as p where p.room_id is not null),
      c.span
    ) as t
  ),
  stretch as (
    select
      p.doctor_id,
      p.room_id,
      case when d.moves then p.time end as only_in,
      b.barred,
      unnest(d.works - coalesce(t.taken, '{}') - coalesce(r.taken, '{}')) as span
    from place as p
    join doctor as d
      on d.doctor_id = p.doctor_id
    left join taken as t
      on t.doctor_id = p.doctor_id
    left join taken as r
      on r.room_id = p.room_id
    left join hospital_private.barred_starts(doctors, kind, tstzrange(earliest, latest)) as b
      on b.doctor_id = p.doctor_id
  )
  select
    s.doctor_id,
    s.room_id,
    kind.id,
    slot.starts_at,
    slot.starts_at + length
  from stretch as s
  cross join lateral generate_series(
    -- The next quarter of an hour. Every zone's clocks have been whole quarters from UTC since 1972.
    date_bin(
      interval '15 minutes',
      greatest(lower(s.span) + before, earliest) + interval '15 minutes' - interval '1 microsecond',
      '2000-01-01 00:00Z'
    ),
    least(upper(s.span) - after, latest - interval '1 microsecond'),
    interval '15 minutes'
  ) as slot (starts_at)
  where (s.only_in is null or s.only_in @> slot.starts_at)
    and (s.barred is null or not s.barred @> slot.starts_at)
  order by
    slot.starts_at,
    s.doctor_id;
end;
$$;
comment on function hospital.free_slots(bigint, bigint, bigint, timestamptz, timestamptz) is
  'The times at which a doctor, or any doctor of a department, can be booked for a type of appointment (a consultation unless named), by default in the next 7 days and at most 62. Raises MISSA, NTFND, SPANL. Lends the owner''s right to see when doctors and rooms are free, never with whom they are busy.';

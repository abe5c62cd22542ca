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
as $$
declare
  kind hospital.appointment_types;
  span tstzrange;
begin
  if num_nonnulls(free_slots.doctor_id, free_slots.department_id) = 0 then
    raise exception using
      errcode = 'MISSA',
      message = 'Name a doctor or a department.';
  end if;
  select t.*
  into kind
  from hospital.appointment_types as t
  where t.is_bookable
    and case
      when free_slots.appointment_type_id is null then t.code = 'consultation'
      else t.id = free_slots.appointment_type_id
    end;
  if kind.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such bookable appointment type.';
  end if;
  span := tstzrange(
    greatest(coalesce(free_slots.starts_from, now()), now()),
    greatest(
      coalesce(free_slots.starts_before, coalesce(free_slots.starts_from, now()) + interval '7 days'),
      coalesce(free_slots.starts_from, now()),
      now()
    )
  );
  if isempty(span) then
    return;
  end if;
  -- Added and not subtracted: infinity less an instant is an error on older servers.
  if upper(span) > lower(span) + interval '62 days' then
    raise exception using
      errcode = 'SPANL',
      message = 'The span is too long.',
      hint = 'Ask for at most 62 days at a time.';
  end if;

  return query
  with
  candidates as (
    select d.id
    from hospital.doctors as d
    join hospital.staff_members as m
      on m.id = d.staff_member_id
    where d.is_active
      and (free_slots.doctor_id is null or d.id = free_slots.doctor_id)
      and (free_slots.department_id is null or m.department_id = free_slots.department_id)
  ),
  free as (
    select
      c.id as doctor_id,
      unnest(
        hospital_private.available_time(
          c.id,
          -- The last slot may start at the end of the span and reach beyond it.
          tstzrange(
            lower(span) - make_interval(mins => kind.buffer_before_minutes),
            upper(span)
              + make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes)
          )
        )
      ) as stretch
    from candidates as c
  ),
  grid as (
    select
      f.doctor_id,
      f.stretch,
      slot.starts_at
    from free as f
    cross join lateral generate_series(
      -- Quarter hours are quarter hours in every zone there is.
      to_timestamp(
        ceil(
          extract(
            epoch from lower(f.stretch) + make_interval(mins => kind.buffer_before_minutes)
          ) / 900
        ) * 900
      ),
      upper(f.stretch)
        - make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes),
      interval '15 minutes'
    ) as slot (starts_at)
    where slot.starts_at >= lower(span)
      and slot.starts_at < upper(span)
  )
  select
    g.doctor_id,
    place.room_id,
    kind.id,
    g.starts_at,
    g.starts_at + make_interval(mins => kind.duration_minutes)
  from grid as g
  cross join lateral (
    select hospital_private.scheduled_room_id(g.doctor_id, g.starts_at) as room_id
  ) as place
  where not exists (
    select
    from hospital.appointments as a
    where a.room_id = place.room_id
      and a.busy && tstzrange(
        g.starts_at - make_interval(mins => kind.buffer_before_minutes),
        g.starts_at + make_interval(mins => kind.duration_minutes + kind.buffer_after_minutes)
      )
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > clock_timestamp())
  )
  order by
    g.starts_at,
    g.doctor_id;
end;
$$;
comment on function hospital.free_slots(bigint, bigint, bigint, timestamptz, timestamptz) is
  'The times at which a doctor, or any doctor of a department, can be booked for a type of appointment (a consultation unless named), by default in the next 7 days and at most 62. Raises MISSA, NTFND, SPANL. Lends the owner''s right to see when doctors and rooms are free, never with whom they are busy.';

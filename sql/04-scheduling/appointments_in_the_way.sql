-- What is promised stays promised: hours change only where no appointment to come is left outside them.
-- This is the one definition of what stands in the way, for the triggers and for the functions that
-- report it.
create or replace function hospital_private.appointments_in_the_way(doctor_id bigint)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  moment constant timestamptz := clock_timestamp();
  upcoming tstzrange;
  worked tstzmultirange;
  time_zone text;
begin
  select tstzrange(min(lower(a.busy)), max(upper(a.busy)))
  into upcoming
  from hospital.appointments as a
  where a.doctor_id = appointments_in_the_way.doctor_id
    and a.busy && tstzrange(moment, null)
    and a.status in ('held', 'scheduled', 'checked_in', 'in_progress');
  -- Nothing to come: an unbounded span, for which no hours are asked.
  if lower(upcoming) is null then
    return '{}'::bigint[];
  end if;
  worked := hospital_private.working_time(appointments_in_the_way.doctor_id, upcoming);
  time_zone := hospital_private.doctor_time_zone(appointments_in_the_way.doctor_id);
  return array(
    select a.id
    from hospital.appointments as a
    where a.doctor_id = appointments_in_the_way.doctor_id
      and a.busy && tstzrange(moment, null)
      and a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      and (a.expires_at is null or a.expires_at > moment)
      and (
        not worked @> a.busy
        or hospital_private.is_second_pass(a.starts_at, time_zone)
      )
      and not exists (
        select
        from hospital.appointment_overrides as o
        where o.id = a.override_id
          and o.span @> a.busy
      )
    order by
      a.starts_at,
      a.id
  );
end;
$$;
comment on function hospital_private.appointments_in_the_way(bigint) is
  'The keys of a doctor''s active appointments to come that no longer lie within working time and that no override covers, in order of time. Lends the owner''s right to read a calendar, for keys alone.';

create or replace function hospital_private.require_way_free(in_the_way bigint[])
returns void
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if require_way_free.in_the_way <> '{}' then
    raise exception using
      errcode = 'INWAY',
      message = 'Appointments are in the way.',
      hint = 'Move them, call them off or override them first; reportConflicts tells which they are.';
  end if;
end;
$$;
comment on function hospital_private.require_way_free(bigint[]) is
  'Raises INWAY unless the list of appointments in the way is empty.';

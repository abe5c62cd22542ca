-- Who looks at a doctor's free time hears that it changed and when, never for whom. Only time to come
-- is news, so loading history wakes nobody.
create or replace function hospital_private.tell_free_time(doctor_id bigint, span tstzrange)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  starts_at constant timestamptz := greatest(lower(tell_free_time.span), now());
  ends_at constant timestamptz := nullif(upper(tell_free_time.span), 'infinity');
  -- As the API writes instants, whatever zone the connection is set to.
  pattern constant text := 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"';
begin
  if isempty(tell_free_time.span) or ends_at <= now() then
    return;
  end if;
  insert into hospital_private.live_events (channels, payload)
  values (
    array['free_time:doctor:' || tell_free_time.doctor_id],
    json_build_object(
      'doctorId', tell_free_time.doctor_id::text,
      'startsAt', to_char(starts_at at time zone 'UTC', pattern),
      'endsAt', to_char(ends_at at time zone 'UTC', pattern)
    )
  );
end;
$$;
comment on function hospital_private.tell_free_time(bigint, tstzrange) is
  'Tells the channel of a doctor that free time within a span changed, when any of it is still to come.';

create or replace function hospital_private.notify_occupied()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'UPDATE' and old.status in ('held', 'scheduled', 'checked_in', 'in_progress') then
    perform hospital_private.tell_free_time(old.doctor_id, old.busy);
  end if;
  if new.status in ('held', 'scheduled', 'checked_in', 'in_progress') then
    perform hospital_private.tell_free_time(new.doctor_id, new.busy);
  end if;
  return null;
end;
$$;
comment on function hospital_private.notify_occupied() is
  'Trigger: tells that an appointment took time or gave it back. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _820_free_time_insert
  after insert on hospital.appointments
  for each row
  when (
    new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and upper(new.busy) > now()
  )
  execute function hospital_private.notify_occupied();

-- A change of status that leaves the time taken is no news.
create or replace trigger _820_free_time_update
  after update on hospital.appointments
  for each row
  when (
    (
      old.status in ('held', 'scheduled', 'checked_in', 'in_progress')
      or new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    )
    and (
      new.doctor_id <> old.doctor_id
      or new.busy <> old.busy
      or (old.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
        <> (new.status in ('held', 'scheduled', 'checked_in', 'in_progress'))
    )
  )
  execute function hospital_private.notify_occupied();

-- Equal messages of one transaction are one, so a whole week that is replaced is told once.
create or replace function hospital_private.notify_hours()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  touched jsonb;
begin
  for touched in
    select to_jsonb(old)
    where tg_op <> 'INSERT'
    union all
    select to_jsonb(new)
    where tg_op <> 'DELETE'
  loop
    if tg_table_name = 'doctor_schedules' then
      -- Rules count in local days; a day more on either side holds them in every zone, and the
      -- evening's shift runs into the next.
      perform hospital_private.tell_free_time(
        (touched ->> 'doctor_id')::bigint,
        tstzrange(
          coalesce(lower((touched ->> 'effective')::daterange), '-infinity')::timestamp
            at time zone 'UTC' - interval '1 day',
          coalesce(upper((touched ->> 'effective')::daterange), 'infinity')::timestamp
            at time zone 'UTC' + interval '2 days'
        )
      );
    else
      perform hospital_private.tell_free_time(
        (touched ->> 'doctor_id')::bigint,
        tstzrange(
          (touched ->> 'starts_at')::timestamptz, (touched ->> 'ends_at')::timestamptz
        )
      );
    end if;
  end loop;
  return null;
end;
$$;
comment on function hospital_private.notify_hours() is
  'Trigger: tells that a doctor''s hours, absences or extra sessions changed. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _820_free_time
  after insert or update or delete on hospital.doctor_schedules
  for each row execute function hospital_private.notify_hours();
create or replace trigger _820_free_time
  after insert or update or delete on hospital.doctor_time_off
  for each row execute function hospital_private.notify_hours();
create or replace trigger _820_free_time
  after insert or update or delete on hospital.doctor_extra_sessions
  for each row execute function hospital_private.notify_hours();

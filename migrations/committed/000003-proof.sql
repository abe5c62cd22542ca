--! Previous: sha1:079a0139ae16548df043822897d82305227948a5
--! Hash: sha1:70fc90cd52479217a4f852edb42fa26a6d484d39
--! Message: proof

--! split: 320-live-events.sql
-- What live subscribers are about to be told. pg_notify in the transaction of a booking would make all
-- bookings wait for one another: the server lets one notifying transaction commit at a time, its flush
-- to disk included. A row costs nobody a wait, and somebody else passes it on.

-- Unlogged: after a crash every subscriber has lost his connection and reads anew.
create unlogged table hospital_private.live_events (
  id       bigint generated always as identity primary key,
  channels text[] not null,
  payload  text   not null
);
comment on table hospital_private.live_events is 'News for live subscribers that have not been passed on yet: keys and times alone, and nothing after a crash.';
comment on column hospital_private.live_events.id is 'The key of the news, in the order in which they are passed on.';
comment on column hospital_private.live_events.channels is 'The channels of those whom it concerns, such as appointments:patient:7.';
comment on column hospital_private.live_events.payload is 'What they are told, as JSON text.';

--! split: 500-prologue.sql
-- The living files below may call one another in any order: bodies are checked when they run.
set local check_function_bodies = off;

--! split: 501-04-scheduling-notify_appointment.sql
-- source: sql/04-scheduling/notify_appointment.sql
-- Live subscribers hear that something changed, by keys alone; what they then read is read under
-- their own policies. History is no news, so loading it wakes nobody.
create or replace function hospital_private.notify_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital_private.live_events (channels, payload)
  values (
    array[
      'appointments:patient:' || new.patient_id,
      'appointments:doctor:' || new.doctor_id,
      'appointments:department:' || new.department_id
    ],
    json_build_object('event', lower(tg_op), 'id', new.id)
  );
  return null;
end;
$$;
comment on function hospital_private.notify_appointment() is
  'Trigger: tells the channels of patient, doctor and department that an appointment changed. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _800_notify
  after insert or update on hospital.appointments
  for each row
  when (new.ends_at > now() - interval '1 day')
  execute function hospital_private.notify_appointment();

--! split: 502-04-scheduling-notify_free_time.sql
-- source: sql/04-scheduling/notify_free_time.sql
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

--! split: 503-04-scheduling-relay_live_events.sql
-- source: sql/04-scheduling/relay_live_events.sql
-- Passes on what has been committed, a thousand at a time. Whoever writes an appointment only leaves a
-- row: to notify is to wait for everybody else who notifies, until the log is on disk.
create or replace function hospital_private.relay_live_events()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with
  gone as (
    delete from hospital_private.live_events as e
    where e.id = any (
      array(
        select w.id
        from hospital_private.live_events as w
        order by w.id
        limit 1000
        -- Several servers pass on at once, each something else.
        for update skip locked
      )
    )
    returning e.*
  ),
  -- Equal news are told once: that is how the server notifies.
  told as materialized (
    select pg_notify(c.channel, g.payload)
    from (
      select w.*
      from gone as w
      order by w.id
    ) as g
    cross join lateral unnest(g.channels) as c (channel)
  )
  select count(*)
  from gone
  where (select count(*) from told) >= 0;
$$;
comment on function hospital_private.relay_live_events() is
  'Tells live subscribers what has been committed since, and returns how many news there were, a thousand at most. Lends the API, on nobody''s behalf, the owner''s right to read and remove them; it sees none.';

--! split: 504-policies-anonymous.sql
-- source: policies/anonymous.sql
-- hospital_anonymous is everybody who has not logged in: the building and what can be booked there,
-- registration and log-in, and nothing of anyone.
call hospital_private.reset_access('hospital_anonymous');
grant usage on schema hospital, analytics, hospital_private to hospital_anonymous;

-- The building.
create policy anonymous_select_all on hospital.facilities
  for select to hospital_anonymous
  using (true);
grant select on hospital.facilities to hospital_anonymous;
create policy anonymous_select_active on hospital.departments
  for select to hospital_anonymous
  using (is_active);
grant select on hospital.departments to hospital_anonymous;
create policy anonymous_select_all on hospital.specialties
  for select to hospital_anonymous
  using (true);
grant select on hospital.specialties to hospital_anonymous;
create policy anonymous_select_bookable on hospital.appointment_types
  for select to hospital_anonymous
  using (is_bookable);
grant select on hospital.appointment_types to hospital_anonymous;

-- Registration and log-in.
grant execute on function
  hospital.log_in,
  hospital.refresh_session,
  hospital.log_out,
  hospital.current_account,
  hospital.register_patient,
  hospital.register_doctor,
  hospital.register_patient_and_book,
  hospital.free_slots,
  -- Of the row just registered.
  hospital.patients_full_name,
  hospital.patients_age,
  hospital.doctors_full_name,
  hospital.doctors_experience_years
to hospital_anonymous;

-- The API passes news on to live subscribers, on nobody's behalf and without seeing them.
grant execute on function hospital_private.relay_live_events to hospital_anonymous;

create or replace function hospital.add_time_off(
  doctor_id bigint,
  starts_at timestamptz,
  ends_at timestamptz,
  reason text,
  report_conflicts boolean default false
)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  session hospital.doctor_extra_sessions;
  in_the_way bigint[];
begin
  perform hospital_private.lock_doctor(add_time_off.doctor_id);
  begin
    -- An extra session would stand in the absence: what of it lies there is withdrawn.
    for session in
      select s.*
      from hospital.doctor_extra_sessions as s
      where s.doctor_id = add_time_off.doctor_id
        and add_time_off.ends_at > add_time_off.starts_at
        and s.starts_at < add_time_off.ends_at
        and s.ends_at > add_time_off.starts_at
      order by s.starts_at
    loop
      delete from hospital.doctor_extra_sessions as s
      where s.id = session.id;
      -- Seen by everybody, changed by few: what the policies hide from the change is refused aloud.
      if not found then
        raise exception using
          errcode = 'PRMSN',
          message = 'Your role may not do this.';
      end if;
      insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
      select
        session.doctor_id,
        lower(kept.span),
        upper(kept.span),
        session.room_id
      from unnest(
        tstzmultirange(tstzrange(session.starts_at, session.ends_at))
          - tstzmultirange(tstzrange(add_time_off.starts_at, add_time_off.ends_at))
      ) as kept (span);
    end loop;
    insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
    values (
      add_time_off.doctor_id,
      add_time_off.starts_at,
      add_time_off.ends_at,
      add_time_off.reason
    );
    in_the_way := hospital_private.appointments_in_the_way(add_time_off.doctor_id);
    perform hospital_private.require_way_free(in_the_way);
  exception
    when sqlstate 'INWAY' then
      if add_time_off.report_conflicts is not true then
        raise;
      end if;
      return (add_time_off.doctor_id, false, in_the_way)::hospital.calendar_change;
  end;
  return (add_time_off.doctor_id, true, in_the_way)::hospital.calendar_change;
end;
$$;
comment on function hospital.add_time_off(bigint, timestamptz, timestamptz, text, boolean) is
  'Enters an absence of a doctor and withdraws what of extra sessions lies in it; for the doctor, reception and administrators. With reportConflicts, appointments in the way are named and nothing changes. Raises NTFND, RETRY, INWAY.';

create or replace function hospital.remove_time_off(time_off_id bigint)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor bigint;
begin
  select o.doctor_id
  into doctor
  from hospital.doctor_time_off as o
  where o.id = remove_time_off.time_off_id;
  perform hospital_private.lock_calendars(array[doctor], '{}');
  delete from hospital.doctor_time_off as o
  where o.id = remove_time_off.time_off_id;
  if not found then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such absence.';
  end if;
  return (doctor, true, '{}'::bigint[])::hospital.calendar_change;
end;
$$;
comment on function hospital.remove_time_off(bigint) is
  'Withdraws an absence of a doctor; for the doctor, reception and administrators. Raises NTFND, RETRY.';

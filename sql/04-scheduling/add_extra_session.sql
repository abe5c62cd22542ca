create or replace function hospital.add_extra_session(
  doctor_id bigint,
  starts_at timestamptz,
  ends_at timestamptz,
  room_id bigint default null
)
returns hospital.doctor_extra_sessions
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  added hospital.doctor_extra_sessions;
begin
  perform hospital_private.lock_doctor(add_extra_session.doctor_id);
  insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
  values (
    add_extra_session.doctor_id,
    add_extra_session.starts_at,
    add_extra_session.ends_at,
    add_extra_session.room_id
  )
  returning *
  into added;
  return added;
end;
$$;
comment on function hospital.add_extra_session(bigint, timestamptz, timestamptz, bigint) is
  'Lets a doctor work in a span besides the weekly hours, also inside an absence entered before; for the doctor, reception and administrators. Raises NTFND, RETRY.';

create or replace function hospital.remove_extra_session(
  extra_session_id bigint,
  report_conflicts boolean default false
)
returns hospital.calendar_change
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  doctor bigint;
  in_the_way bigint[];
begin
  select s.doctor_id
  into doctor
  from hospital.doctor_extra_sessions as s
  where s.id = remove_extra_session.extra_session_id;
  perform hospital_private.lock_calendars(array[doctor], '{}');
  begin
    delete from hospital.doctor_extra_sessions as s
    where s.id = remove_extra_session.extra_session_id;
    if not found then
      raise exception using
        errcode = 'NTFND',
        message = 'There is no such session.';
    end if;
    in_the_way := hospital_private.appointments_in_the_way(doctor);
    perform hospital_private.require_way_free(in_the_way);
  exception
    when sqlstate 'INWAY' then
      if remove_extra_session.report_conflicts is not true then
        raise;
      end if;
      return (doctor, false, in_the_way)::hospital.calendar_change;
  end;
  return (doctor, true, in_the_way)::hospital.calendar_change;
end;
$$;
comment on function hospital.remove_extra_session(bigint, boolean) is
  'Withdraws an extra session of a doctor; for the doctor, reception and administrators. With reportConflicts, appointments in the way are named and nothing changes. Raises NTFND, RETRY, INWAY.';

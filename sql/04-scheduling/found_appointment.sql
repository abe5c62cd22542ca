create or replace function hospital_private.found_appointment(appointment hospital.appointments)
returns hospital.appointments
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  if appointment.id is null then
    raise exception using
      errcode = 'NTFND',
      message = 'There is no such appointment.';
  end if;
  return appointment;
end;
$$;
comment on function hospital_private.found_appointment(hospital.appointments) is
  'Returns the appointment, or raises NTFND when none was found.';

create or replace function hospital_private.appointment(appointment_id bigint)
returns hospital.appointments
language plpgsql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  found hospital.appointments;
begin
  select a.*
  into found
  from hospital.appointments as a
  where a.id = appointment.appointment_id;
  return hospital_private.found_appointment(found);
end;
$$;
comment on function hospital_private.appointment(bigint) is
  'The appointment as it is now, when the caller may see it. Raises NTFND.';

create or replace function hospital.calendar_change_appointments(
  calendar_change hospital.calendar_change
)
returns setof hospital.appointments
language sql
stable
security invoker
set search_path = pg_catalog, pg_temp
as $$
  select a.*
  from hospital.appointments as a
  where a.id = any (calendar_change.appointment_ids)
  order by
    a.starts_at,
    a.id;
$$;
comment on function hospital.calendar_change_appointments(hospital.calendar_change) is
  'The appointments in the way, in order of time, to be moved, called off or overridden first.';

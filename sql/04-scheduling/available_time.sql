-- Shifts that touch are one stretch here: an appointment may run from one into the next.
create or replace function hospital_private.working_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(range_agg(tstzrange(s.starts_at, s.ends_at)), '{}')
    from hospital_private.working_shifts(array[working_time.doctor_id], working_time.span) as s
  );
end;
$$;
comment on function hospital_private.working_time(bigint, tstzrange) is
  'The time in the span that an active doctor works: weekly hours in the facility''s zone less time off, plus extra sessions. Lends the owner''s right to read schedules and absences without their reasons.';

create or replace function hospital_private.available_time(doctor_id bigint, span tstzrange)
returns tstzmultirange
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return hospital_private.working_time(available_time.doctor_id, available_time.span) - coalesce(
    (
      select t.taken
      from hospital_private.taken_time(
        array[available_time.doctor_id], null, available_time.span
      ) as t
    ),
    '{}'
  );
end;
$$;
comment on function hospital_private.available_time(bigint, tstzrange) is
  'The time in the span in which a doctor works and is not taken. Lends the owner''s right to see when appointments are, not whose.';

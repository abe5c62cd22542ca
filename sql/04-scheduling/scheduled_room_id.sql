create or replace function hospital_private.scheduled_room_id(doctor_id bigint, starts_at timestamptz)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select s.room_id
    from hospital_private.working_shifts(
      array[scheduled_room_id.doctor_id],
      -- The instant alone: time is kept in microseconds.
      tstzrange(
        scheduled_room_id.starts_at,
        scheduled_room_id.starts_at + interval '1 microsecond'
      )
    ) as s
  );
end;
$$;
comment on function hospital_private.scheduled_room_id(bigint, timestamptz) is
  'The room that a doctor''s weekly hours or extra session name at an instant, or null. Lends the owner''s right to read schedules.';

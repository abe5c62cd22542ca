-- Two inserts that conflict under an exclusion constraint at the same instant deadlock by design.
-- Bookings therefore queue on the calendars they touch, always in the same order.
create or replace function hospital_private.lock_calendars(
  doctor_id bigint,
  patient_id bigint,
  room_id bigint
)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  calendar bigint;
begin
  -- The last two bits say whose calendar the number belongs to.
  for calendar in
    select k.key
    from unnest(
      array[
        lock_calendars.doctor_id * 4,
        lock_calendars.patient_id * 4 + 1,
        lock_calendars.room_id * 4 + 2
      ]
    ) as k (key)
    where k.key is not null
    order by k.key
  loop
    perform pg_advisory_xact_lock(calendar);
  end loop;
end;
$$;
comment on function hospital_private.lock_calendars(bigint, bigint, bigint) is
  'Takes the advisory locks of the calendars of doctor, patient and room (each may be null) until the transaction ends, in sorted order.';

-- The wait for a doctor is a day or some weeks. Asking for twice as long each time finds the first at
-- the price of a day, and learns soon enough that there is none.
create or replace function hospital.next_free_slot(
  doctor_id bigint default null,
  department_id bigint default null,
  appointment_type_id bigint default null,
  starts_from timestamptz default null
)
returns hospital.free_slot
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  kind constant hospital.appointment_types :=
    hospital_private.bookable_type(next_free_slot.appointment_type_id);
  asked timestamptz := greatest(coalesce(next_free_slot.starts_from, now()), now());
  step interval := interval '24 hours';
  slot hospital.free_slot;
begin
  while asked <= now() + make_interval(hours => kind.horizon_days * 24) loop
    select s.*
    into slot
    from hospital.free_slots(
      next_free_slot.doctor_id, next_free_slot.department_id, kind.id, asked, asked + step
    ) as s
    limit 1;
    if found then
      return slot;
    end if;
    asked := asked + step;
    step := least(step * 2, interval '1440 hours');
  end loop;
  return null;
end;
$$;
comment on function hospital.next_free_slot(bigint, bigint, bigint, timestamptz) is
  'The first time at which a doctor, or any doctor of a department, can be booked for a type of appointment (a consultation unless named), or null up to the type''s horizon. Raises MISSA, NTFND. Lends the owner''s right to see when doctors and rooms are free, never with whom they are busy.';

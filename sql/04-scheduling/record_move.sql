-- The lineage of an appointment: where it was before, every time, whoever moved it.
create or replace function hospital_private.record_move()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_moves (
    appointment_id, patient_id, from_doctor_id, to_doctor_id, from_room_id, to_room_id,
    from_starts_at, to_starts_at, from_ends_at, to_ends_at, moved_by
  )
  select
    n.id,
    n.patient_id,
    o.doctor_id,
    n.doctor_id,
    o.room_id,
    n.room_id,
    o.starts_at,
    n.starts_at,
    o.ends_at,
    n.ends_at,
    (select hospital_private.current_account_id())
  from new_rows as n
  join old_rows as o
    on o.id = n.id
  where (o.doctor_id, o.room_id, o.starts_at, o.ends_at)
    is distinct from (n.doctor_id, n.room_id, n.starts_at, n.ends_at);
  return null;
end;
$$;
comment on function hospital_private.record_move() is
  'Trigger: writes changes of time, doctor or room into the lineage. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _710_lineage
  after update on hospital.appointments
  referencing old table as old_rows new table as new_rows
  for each statement execute function hospital_private.record_move();

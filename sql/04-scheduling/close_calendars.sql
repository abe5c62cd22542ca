-- A change of hours and a booking must not both win. Whoever changes hours has the doctor's calendar to
-- himself until he commits, on every path; a booking shares it with bookings only.
create or replace function hospital_private.close_calendars(doctor_ids bigint[], may_wait boolean)
returns void
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
  -- An older snapshot would not see the bookings that were made since.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'ISOLN',
      message = 'Working hours and records are changed under READ COMMITTED only.';
  end if;
  -- Only the first call of a transaction waits. Who holds a row already must not be it.
  if not close_calendars.may_wait then
    perform hospital_private.lock_in_order('{}');
  end if;
  perform hospital_private.lock_in_order(
    array(select d.id * 4 from unnest(close_calendars.doctor_ids) as d (id))
  );
end;
$$;
comment on function hospital_private.close_calendars(bigint[], boolean) is
  'Keeps bookings out of the calendars of doctors until the transaction ends. Raises ISOLN outside READ COMMITTED and RETRY where it may not wait.';

-- A booking under REPEATABLE READ or SERIALIZABLE reads hours as of its snapshot. It asks for the
-- doctor's row as well, which fails (40001) when the row has changed since: so it is made to change.
create or replace function hospital_private.touch_doctors(doctor_ids bigint[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Once per transaction is enough.
  untouched bigint[] := array(
    select d.id
    from hospital.doctors as d
    where d.id = any (touch_doctors.doctor_ids)
      and d.xmin <> pg_current_xact_id()::xid
    order by d.id
  );
begin
  if untouched = '{}' then
    return;
  end if;
  perform
  from hospital.doctors as d
  where d.id = any (untouched)
  order by d.id
  for no key update nowait;
  update hospital.doctors as d
  set updated_at = now()
  where d.id = any (untouched);
exception
  when lock_not_available then
    raise exception using
      errcode = 'RETRY',
      message = 'Somebody else is changing the same calendar. Try again.';
end;
$$;
comment on function hospital_private.touch_doctors(bigint[]) is
  'Marks the rows of doctors as changed, so that bookings under an older snapshot fail. Raises RETRY. Lends the owner''s right to write a doctor''s updated_at.';

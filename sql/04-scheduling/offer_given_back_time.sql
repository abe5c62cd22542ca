-- Whoever gives time back, and however (a function, SQL of a persona, SQL of the owner), it is offered in
-- the same statement. What lapses is not: who ends a hold that has run out wants its time, and where
-- nobody does, the job offers it.
create or replace function hospital_private.offer_given_back_time()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  freed tstzmultirange := tstzmultirange(old.busy);
  stretch tstzrange;
begin
  if new.status <> 'cancelled' and new.doctor_id = old.doctor_id then
    freed := freed - tstzmultirange(new.busy);
  end if;
  for stretch in
    select f.stretch
    from unnest(freed) as f (stretch)
  loop
    perform hospital_private.offer_freed_time(old.doctor_id, stretch);
  end loop;
  return null;
end;
$$;
comment on function hospital_private.offer_given_back_time() is
  'Trigger: offers to the waitlist what a cancelled, moved or shortened appointment no longer takes. Lends the owner''s right to hold a time for somebody else, for those on the waitlist alone.';

create or replace trigger _830_offer_freed_time
  after update on hospital.appointments
  for each row
  when (
    old.status in ('held', 'scheduled', 'checked_in', 'in_progress')
    and upper(old.busy) > now()
    and (
      new.status = 'cancelled'
      or (
        new.status in ('held', 'scheduled', 'checked_in', 'in_progress')
        and (new.doctor_id <> old.doctor_id or new.busy <> old.busy)
      )
    )
  )
  execute function hospital_private.offer_given_back_time();

create or replace function hospital.accept_offer(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(accept_offer.appointment_id);
begin
  if appointment.waitlist_entry_id is null then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is not an offer.';
  end if;
  -- Said twice it is still one yes.
  if appointment.status = 'scheduled' then
    return appointment;
  end if;
  return hospital.confirm_hold(appointment.id);
end;
$$;
comment on function hospital.accept_offer(bigint) is
  'Makes an appointment of a time offered from the waitlist, whose wish is thereby fulfilled. An appointment that the patient already has, of the same kind or another, stays as it is: cancel it separately. Raises NTFND, RETRY, XHOLD when the offer has run out, TRNSN when it is none or was refused.';

create or replace function hospital.refuse_offer(appointment_id bigint)
returns hospital.appointments
language plpgsql
volatile
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  appointment hospital.appointments :=
    hospital_private.lock_appointment(refuse_offer.appointment_id);
begin
  if appointment.waitlist_entry_id is null
    or appointment.status not in ('held', 'cancelled', 'lapsed')
  then
    raise exception using
      errcode = 'TRNSN',
      message = 'This appointment is not an open offer.';
  end if;
  -- Said twice, or too late, it is still a no.
  if appointment.status <> 'held' then
    return appointment;
  end if;
  return hospital.cancel_appointment(appointment.id, 'offer_refused');
end;
$$;
comment on function hospital.refuse_offer(bigint) is
  'Gives back a time offered from the waitlist, which is offered to the next at once; the patient keeps waiting and is not asked about that time again. Raises NTFND, RETRY, TRNSN when it is no offer or was accepted.';

-- However an offer is taken up, its wish is fulfilled.
create or replace function hospital_private.close_waitlist_entry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update hospital.waitlist_entries as e
  set status = 'booked'
  where e.id = new.waitlist_entry_id
    and e.status = 'waiting';
  return null;
end;
$$;
comment on function hospital_private.close_waitlist_entry() is
  'Trigger: an entry on the waitlist is booked as soon as an appointment offered to it is. Lends the owner''s right to change the waitlist.';

create or replace trigger _720_close_wish
  after insert or update on hospital.appointments
  for each row
  when (
    new.waitlist_entry_id is not null
    and new.status in ('scheduled', 'checked_in', 'in_progress')
  )
  execute function hospital_private.close_waitlist_entry();

-- The outbox speaks of what is so. A message that was not sent before its appointment was moved or
-- called off, or before its offer was taken up or ended, is not sent at all.
create or replace function hospital_private.withdraw_notifications()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update hospital.notifications as n
  set withdrawn_at = now()
  where n.appointment_id = new.id
    and n.sent_at is null
    and n.withdrawn_at is null
    and (
      n.reason like 'offer:%'
      or (
        n.reason like 'reminder:%'
        and (
          new.status <> 'scheduled'
          or new.starts_at <> old.starts_at
          or new.doctor_id <> old.doctor_id
        )
      )
    );
  return null;
end;
$$;
comment on function hospital_private.withdraw_notifications() is
  'Trigger: withdraws unsent reminders and offers of an appointment that was moved or changed its status. Lends the owner''s right to write messages.';

create or replace trigger _810_withdraw
  after update on hospital.appointments
  for each row
  when (
    new.status <> old.status
    or new.starts_at <> old.starts_at
    or new.doctor_id <> old.doctor_id
  )
  execute function hospital_private.withdraw_notifications();

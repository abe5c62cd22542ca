-- The patient hears of every emergency access, on whatever path it came to be. The letter says nothing that
-- others in the house should not read; who, when and why stands behind the log-in.
create or replace function hospital_private.notify_break_glass()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.notifications (reason, patient_id, subject, body)
  values (
    'break_glass:' || new.id,
    new.patient_id,
    'Your record was opened in an emergency',
    'Your record was opened in an emergency. Log in to see by whom, when and why.'
  )
  on conflict on constraint notifications_one_per_reason do nothing;
  return null;
end;
$$;
comment on function hospital_private.notify_break_glass() is
  'Trigger: writes one message to the patient for each emergency access. Lends the owner''s right to write messages.';

create or replace trigger _800_notify
  after insert on hospital.break_glass_grants
  for each row execute function hospital_private.notify_break_glass();

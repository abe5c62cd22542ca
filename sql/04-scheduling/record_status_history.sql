-- The history is written by the statement that made it, whoever runs it, and its foreign key to
-- the transitions refuses the change when it is not listed.
create or replace function hospital_private.record_first_status()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_status_history
    (appointment_id, to_status, reason, changed_by)
  select
    n.id,
    n.status,
    coalesce(n.cancellation_reason, n.no_show_reason, o.reason),
    (select hospital_private.current_account_id())
  from new_rows as n
  left join hospital.appointment_overrides as o
    on o.id = n.override_id;
  return null;
end;
$$;
comment on function hospital_private.record_first_status() is
  'Trigger: writes the first status of new appointments into the history. Lends the owner''s right to write it, which nobody else has.';

create or replace function hospital_private.record_status_change()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital.appointment_status_history
    (appointment_id, from_status, to_status, reason, changed_by)
  select
    n.id,
    o.status,
    n.status,
    coalesce(n.cancellation_reason, n.no_show_reason),
    (select hospital_private.current_account_id())
  from new_rows as n
  join old_rows as o
    on o.id = n.id
  where o.status <> n.status;
  return null;
end;
$$;
comment on function hospital_private.record_status_change() is
  'Trigger: writes changes of status into the history, which refuses those not listed as transitions. Lends the owner''s right to write it, which nobody else has.';

create or replace trigger _700_history_insert
  after insert on hospital.appointments
  referencing new table as new_rows
  for each statement execute function hospital_private.record_first_status();

create or replace trigger _700_history_update
  after update on hospital.appointments
  referencing old table as old_rows new table as new_rows
  for each statement execute function hospital_private.record_status_change();

-- Live subscribers hear that something changed, by keys alone; what they then read is read under
-- their own policies. History is no news, so loading it wakes nobody.
create or replace function hospital_private.notify_appointment()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into hospital_private.live_events (channels, payload)
  values (
    array[
      'appointments:patient:' || new.patient_id,
      'appointments:doctor:' || new.doctor_id,
      'appointments:department:' || new.department_id
    ],
    json_build_object('event', lower(tg_op), 'id', new.id)
  );
  return null;
end;
$$;
comment on function hospital_private.notify_appointment() is
  'Trigger: tells the channels of patient, doctor and department that an appointment changed. Lends the owner''s right to tell, since nobody else may.';

create or replace trigger _800_notify
  after insert or update on hospital.appointments
  for each row
  when (new.ends_at > now() - interval '1 day')
  execute function hospital_private.notify_appointment();

-- An appointment's row fills in as things happen to it, and unfills when they are taken back.
begin;
select no_plan();
create temporary table probe as select tests.patient() as ann, tests.doctor(tests.department()) as dora;
alter table probe add column id bigint;
update probe set id = tests.appointment(dora, ann, tests.next_working_instant(dora, '10:00'));
grant select on probe to public;
create function tests.told(variadic columns text[]) returns text[]
language plpgsql volatile security definer as $$
begin
  perform warehouse.load();
  return array(
    select c.name || ' ' || (to_jsonb(f) ->> c.name)
    from warehouse.fact_appointments as f, probe as p, unnest(columns) as c (name)
    where f.appointment_id = p.id and to_jsonb(f) ->> c.name is not null
  );
end
$$;
-- The history, as if the day had come: what is tested is what is read from it.
create function tests.becomes(status text, at interval) returns void
language sql volatile security definer set session_replication_role = replica as $$
  insert into hospital.appointment_status_history (appointment_id, from_status, to_status, changed_at)
  select p.id, a.status, becomes.status, a.starts_at + becomes.at from probe as p join hospital.appointments as a on a.id = p.id;
  update hospital.appointments as a set status = becomes.status from probe as p where a.id = p.id;
  insert into audit.entries (table_name, operation, row_key, new_row_digest)
  select 'hospital.appointments', 'baseline', p.id::text, '' from probe as p;
$$;

select is(tests.told('status', 'arrived_at', 'seen_at', 'wait_minutes'), '{"status scheduled"}', 'Booked.');
select tests.becomes('checked_in', '-10 minutes');
select is(tests.told('status', 'wait_minutes', 'seen_at'), '{"status checked_in"}', 'Somebody who has arrived waits, nobody knows how long.');
select isnt(tests.told('arrived_at'), '{}', 'The arrival is there.');
update hospital.appointment_status_history set changed_at = changed_at - interval '1 day' where to_status = 'scheduled';
select tests.becomes('scheduled', '-5 minutes');
select is(tests.told('status', 'arrived_at'), '{"status scheduled"}', 'A check-in that was a mistake is none.');
select tests.becomes('checked_in', '3 minutes');
select tests.becomes('in_progress', '15 minutes 59 seconds');
select is(tests.told('status', 'wait_minutes', 'done_at'), '{"status in_progress","wait_minutes 12"}', 'The wait is from arrival to being seen, in whole minutes.');
update hospital.appointment_status_history set changed_at = changed_at - interval '7 minutes' where to_status = 'checked_in';
insert into audit.entries (table_name, operation, row_key, new_row_digest)
select 'hospital.appointments', 'baseline', p.id::text, '' from probe as p;
select is(tests.told('wait_minutes'), '{"wait_minutes 15"}', 'Who came early has waited since the planned start.');
select tests.becomes('completed', '30 minutes');
select is(tests.told('status', 'wait_minutes'), '{"status completed","wait_minutes 15"}', 'And it is over.');
select isnt(tests.told('done_at'), '{}', 'With its end.');
select is((select count(*) from warehouse.verify()), 0::bigint, 'A full load would say the same.');

-- Entered as completed, an appointment has no arrival; its visit says when it was.
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, ends_at, status)
select p.ann, p.dora, tests.type_id(), '2020-01-06 15:00Z', '2020-01-06 15:20Z', 'completed' from probe as p;
update probe set id = (select max(a.id) from hospital.appointments as a);
insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
select p.id, p.ann, p.dora, '2020-01-06 15:04Z', '2020-01-06 15:30Z' from probe as p;
set local time zone 'UTC';
select is(
  tests.told('arrived_at', 'seen_at', 'done_at', 'wait_minutes', 'lead_days', 'planned_minutes'),
  '{"seen_at 2020-01-06T15:04:00+00:00","done_at 2020-01-06T15:30:00+00:00","lead_days 0","planned_minutes 20"}',
  'What nobody recorded is not made up.'
);
select * from finish();
rollback;

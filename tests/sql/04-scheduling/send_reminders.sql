-- One reminder for each appointment of the next 24 hours, however often the job runs.
begin;
select no_plan();

-- Doctors who work around the clock, so that the hour of the test does not matter.
create temporary table who on commit drop as
select tests.doctor(tests.department(tests.facility('America/New_York')), schedule => false) as doc, tests.patient() as ann, tests.patient() as far;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) select doc, d, '00:00', '00:00' from who, generate_series(1, 7) as d;
update hospital.patients set time_zone = 'Asia/Tokyo' where id = (select far from who);
create temporary table made on commit drop as
select
  tests.appointment(doc, ann, date_trunc('hour', now()) + interval '3 hours') as soon,
  tests.appointment(doc, far, date_trunc('hour', now()) + interval '5 hours') as abroad,
  tests.appointment(doc, ann, date_trunc('hour', now()) + interval '30 hours') as later,
  tests.appointment(doc, ann, date_trunc('hour', now()) - interval '3 hours') as gone,
  tests.appointment(doc, ann, date_trunc('hour', now()) + interval '7 hours', status => 'cancelled') as called_off
from who;

-- ### the worker
set local role hospital_worker;
select is(ops.send_reminders(), 2::bigint, 'The worker writes two.');
select is(ops.send_reminders(), 0::bigint, 'And none the next time.');
select throws_ok('select * from hospital.notifications', '42501', null, 'He cannot read them.');
reset role;
select results_eq(
  'select appointment_id from hospital.notifications order by appointment_id', 'select unnest(array[soon, abroad]) from made',
  'They are about the appointments of the next 24 hours that stand.'
);
select ok(n.body like 'You have an appointment on ' || to_char(a.starts_at at time zone 'America/New_York', 'FMDay, FMDD FMMonth YYYY "at" HH24:MI') || ', %',
  'The time is the facility''s') from hospital.notifications as n, hospital.appointments as a, made as m where n.appointment_id = m.soon and a.id = m.soon;
select ok(n.body like 'You have an appointment on ' || to_char(a.starts_at at time zone 'America/New_York', 'FMDay, FMDD FMMonth YYYY "at" HH24:MI') || ' New York time ('
    || to_char(a.starts_at at time zone 'Asia/Tokyo', 'FMDay, FMDD FMMonth YYYY "at" HH24:MI') || ' Tokyo time), %',
  'and the patient''s too, each with its zone, where the clocks differ.') from hospital.notifications as n, hospital.appointments as a, made as m where n.appointment_id = m.abroad and a.id = m.abroad;
select results_eq(
  $$ select hospital_private.told_time('2026-03-03 15:00Z', 'America/New_York', z.zone, z.remote)
     from (values (1, null, false), (2, 'America/Toronto', false), (3, 'Asia/Tokyo', false), (4, 'Asia/Tokyo', true), (5, null, true), (6, 'America/Argentina/Buenos_Aires', true)) as z (n, zone, remote)
     order by z.n $$,
  $$ values
    ('Tuesday, 3 March 2026 at 10:00'),
    ('Tuesday, 3 March 2026 at 10:00'),
    ('Tuesday, 3 March 2026 at 10:00 New York time (Wednesday, 4 March 2026 at 00:00 Tokyo time)'),
    ('Wednesday, 4 March 2026 at 00:00 Tokyo time (Tuesday, 3 March 2026 at 10:00 New York time)'),
    ('Tuesday, 3 March 2026 at 10:00'),
    ('Tuesday, 3 March 2026 at 12:00 Buenos Aires time (Tuesday, 3 March 2026 at 10:00 New York time)')
  $$,
  'Who comes goes by the clock of the building, who takes part from afar by his own; where they agree nothing more is said.'
);

-- ### moved, moved back, called off, standing after all
create function pg_temp.reminders(appointment bigint) returns table (withdrawn boolean, sent boolean)
language sql
as $$
  select n.withdrawn_at is not null, n.sent_at is not null from hospital.notifications as n where n.appointment_id = $1 order by n.id;
$$;
update hospital.appointments set reason = 'Cough' where id = (select soon from made);
select results_eq('select r.* from made, pg_temp.reminders(soon) as r', 'values (false, false)', 'Another change than of time leaves the reminder.');
update hospital.appointments set starts_at = starts_at + interval '15 minutes' where id = (select soon from made);
select results_eq('select r.* from made, pg_temp.reminders(soon) as r', 'values (true, false)', 'A moved appointment''s reminder is not sent any more.');
select is(ops.send_reminders(), 1::bigint, 'It is reminded of anew.');
update hospital.notifications set sent_at = now() where withdrawn_at is null and appointment_id = (select soon from made);
update hospital.appointments set starts_at = starts_at - interval '15 minutes' where id = (select soon from made);
select is(ops.send_reminders(), 1::bigint, 'Moved back to the time it had it is reminded of anew too:');
select results_eq('select r.* from made, pg_temp.reminders(soon) as r', 'values (true, false), (false, true), (false, false)', 'the last that was sent told another time.');
select is(ops.send_reminders(), 0::bigint, 'Once.');
update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = (select soon from made);
select results_eq('select r.* from made, pg_temp.reminders(soon) as r', 'values (true, false), (false, true), (true, false)', 'What is called off is not reminded of any more.');
select is(ops.send_reminders(), 0::bigint, 'Nor anew.');
update hospital.appointments set status = 'scheduled' where id = (select soon from made);
select is(ops.send_reminders(), 1::bigint, 'What stands after all is reminded of after all,');
select results_eq('select r.* from made, pg_temp.reminders(soon) as r', 'values (true, false), (false, true), (false, false)', 'by the message that was withdrawn.');
select is(
  tests.would_be('update hospital.notifications set sent_at = now(), withdrawn_at = now()'),
  'notifications_sent_or_withdrawn', 'A message is sent or withdrawn.'
);
select is(
  tests.would_be($$insert into hospital.notifications (reason, patient_id, subject, body) select reason, patient_id, subject, body from hospital.notifications$$),
  'notifications_one_per_reason', 'A reason has one message.'
);
select is(
  tests.would_be($$update hospital.notifications set patient_id = (select max(id) from hospital.patients where id <> patient_id)$$),
  'notifications_appointment_is_the_patients', 'A message is to the appointment''s patient.'
);
select * from finish();
rollback;

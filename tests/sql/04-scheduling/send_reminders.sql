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
select ok(n.body like '%' || to_char((date_trunc('hour', now()) + interval '3 hours') at time zone 'America/New_York', 'FMDD FMMonth YYYY at HH24:MI') || '%',
  'The time is the facility''s') from hospital.notifications as n, made as m where n.appointment_id = m.soon;
select ok(n.body like '%' || to_char((date_trunc('hour', now()) + interval '5 hours') at time zone 'Asia/Tokyo', 'FMDD FMMonth YYYY at HH24:MI') || '%',
  'or the patient''s, if he has another.') from hospital.notifications as n, made as m where n.appointment_id = m.abroad;
update hospital.appointments set starts_at = starts_at + interval '15 minutes', ends_at = ends_at + interval '15 minutes' where id = (select soon from made);
select is(ops.send_reminders(), 1::bigint, 'What was moved is reminded of anew.');
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

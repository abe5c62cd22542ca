-- Notice, horizon and daily limits are data, bind on every path, and are set aside on record only.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor(null, 'doc@example.test') as doc,
  tests.doctor(null, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.type_id() as type;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create function pg_temp.book(patient text, at text, why text default 'null') returns text
language sql
as $$
  select tests.would_be(format('select hospital.book_appointment(%s, doc, type, %s, null, %s) from who', $1, $2, $3));
$$;
create function pg_temp.insert(at text) returns text
language sql
as $$
  select tests.would_be(format('insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select ann, doc, type, %s from who', $1));
$$;

-- Notice: more minutes than lie before the appointment.
update hospital.appointment_types set notice_minutes = 20160 where id = (select type from who);
select tests.authenticate_as('ann@example.test');
select is(pg_temp.book('ann', 'at'), 'NOTIC', 'Too late is too late.');
select is(pg_temp.book('ann', 'at + interval ''14 days'''), 'accepted', 'In time is in time.');
select is(count(*), 0::bigint, 'What is too late is not offered.')
from who, hospital.free_slots(who.doc, null, who.type, who.at, who.at + interval '1 hour');
select isnt(count(*), 0::bigint, 'What is in time is.')
from who, hospital.free_slots(who.doc, null, who.type, who.at + interval '14 days', who.at + interval '14 days 1 hour');
select tests.be_owner();
select is(pg_temp.insert('at'), 'NOTIC', 'On every path.');
select is(pg_temp.insert('at - interval ''14 days'''), 'accepted', 'History has no notice.');
select tests.clear_authentication();
update hospital.appointment_types set notice_minutes = 0, horizon_days = 1 where id = (select type from who);
select tests.authenticate_as('ann@example.test');
select is(pg_temp.book('ann', 'at'), 'TOFAR', 'Too far ahead is too far.');
select is(count(*), 0::bigint, 'And is not offered.')
from who, hospital.free_slots(who.doc, null, who.type, who.at, who.at + interval '1 hour');
select tests.be_owner();
select is(pg_temp.insert('at'), 'TOFAR', 'On every path.');

-- Limits of a day: of the type, of the doctor.
select tests.clear_authentication();
update hospital.appointment_types set horizon_days = 365, daily_limit = 2 where id = (select type from who);
select tests.appointment(doc, bob, at) from who;
select tests.appointment(doc, bob, at + interval '1 hour', 'follow_up') from who;
select tests.authenticate_as('ann@example.test');
select is(pg_temp.book('ann', 'at + interval ''2 hours'''), 'accepted', 'One of two is booked: there is room for one of the type.');
select hospital.book_appointment(ann, doc, type, at + interval '2 hours') from who;
select is(pg_temp.book('ann', 'at + interval ''3 hours'''), 'LIMIT', 'Not for a third.');
select is(pg_temp.book('ann', 'at + interval ''1 day 3 hours'''), 'accepted', 'The next day has its own.');
select is(count(*), 0::bigint, 'A full day offers nothing')
from who, hospital.free_slots(who.doc, null, who.type, who.at, who.at + interval '6 hours');
select isnt(count(*), 0::bigint, 'of that type,')
from who, hospital.free_slots(who.doc, null, tests.type_id('follow_up'), who.at, who.at + interval '6 hours');
select isnt(count(*), 0::bigint, 'or of that doctor.')
from who, hospital.free_slots(who.other, null, who.type, who.at, who.at + interval '6 hours');
select tests.be_owner();
select is(pg_temp.insert('at + interval ''3 hours'''), 'LIMIT', 'On every path.');
select tests.clear_authentication();
update hospital.appointment_types set daily_limit = null where id = (select type from who);
update hospital.doctors set daily_limit = 3 where id = (select doc from who);
select tests.authenticate_as('ann@example.test');
select is(pg_temp.book('ann', 'at + interval ''3 hours'''), 'LIMIT', 'A doctor has a limit of his own.');
select hospital.reschedule_appointment(a.id, who.at + interval '4 hours')
from hospital.appointments as a, who where a.patient_id = who.ann;
select pass('Moving within the day is no further appointment.');
select hospital.cancel_appointment(a.id) from hospital.appointments as a, who where a.patient_id = who.ann;
select is(pg_temp.book('ann', 'at + interval ''3 hours'''), 'accepted', 'What is cancelled does not count.');

-- Setting aside.
select tests.clear_authentication();
update hospital.doctors set daily_limit = 1 where id = (select doc from who);
select tests.authenticate_as_role('administrator');
select is(pg_temp.book('ann', 'at + interval ''3 hours'''), 'LIMIT', 'An administrator is bound too,');
select is(pg_temp.book('ann', 'at + interval ''3 hours''', '''urgent_need'''), 'accepted', 'unless he says why,');
select is(pg_temp.book('ann', 'at + interval ''10 hours''', '''urgent_need'''), 'accepted', 'outside the hours as well,');
select is(pg_temp.book('ann', 'at', '''urgent_need'''), 'SLOTT', 'but never at the same time as another.');
select is(pg_temp.book('ann', 'at + interval ''3 hours''', '''mood'''), 'appointment_overrides_reason_fkey', 'The reason is on the list.');
select hospital.book_appointment(ann, doc, type, at + interval '10 hours', null, 'urgent_need') from who;
select results_eq(
  $$ select o.reason, o.granted_by is not null, o.span @> a.busy
    from hospital.appointments as a join hospital.appointment_overrides as o on o.id = a.override_id $$,
  $$ values ('urgent_need', true, true) $$, 'It is on record: why, by whom, for which time.'
);
select is(h.reason, 'urgent_need', 'And in the history.')
from hospital.appointment_status_history as h
join hospital.appointments as a on a.id = h.appointment_id and a.override_id is not null;
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(pg_temp.book('ann', 'at + interval ''11 hours''', '''urgent_need'''), '42501', 'A patient sets nothing aside,');
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, override_id) select ann, other, type, at + interval '5 hours', (select id from hospital.appointment_overrides limit 1) from who$$),
  '42501', 'nor uses what was granted before.'
);
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select is(pg_temp.book('bob', 'at + interval ''11 hours''', '''urgent_need'''), '42501', 'Nor does reception.');
select tests.be_owner();
select is(
  tests.would_be($$update hospital.appointments set starts_at = starts_at + interval '15 minutes' where override_id is not null$$),
  'OUTWH', 'An override is for one time,'
);
update hospital.appointments set status = 'cancelled', cancellation_reason = 'entered_in_error' where override_id is not null;
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, override_id) select bob, doc, type, at + interval '10 hours', (select id from hospital.appointment_overrides limit 1) from who$$),
  'appointments_override_is_for_doctor_and_patient', 'one patient'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, override_id) select ann, other, type, at + interval '10 hours', (select id from hospital.appointment_overrides limit 1) from who$$),
  'appointments_override_is_for_doctor_and_patient', 'and one doctor.'
);
select is(
  tests.would_be($$insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason) select doc, ann, '(,)', 'urgent_need' from who$$),
  'appointment_overrides_span_bounded', 'None is for ever.'
);
-- A time that passes while a transaction runs is no promise any more: to a tool it is history, to others past.
select tests.clear_authentication();
update hospital.appointment_types set notice_minutes = 0, horizon_days = 60, daily_limit = null where id = (select type from who);
update hospital.doctors set daily_limit = null where id = (select doc from who);
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at)
select doc, date_trunc('hour', now()) - interval '1 hour', date_trunc('hour', now()) + interval '3 hours' from who;
select tests.be_owner();
select is(pg_temp.insert('now() + (clock_timestamp() - now()) / 2'), 'accepted', 'A long load writes what has passed meanwhile.');
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(pg_temp.book('ann', 'now() + (clock_timestamp() - now()) / 2'), 'PASTT', 'A patient does not book it.');
select tests.clear_authentication();

select * from finish();
rollback;

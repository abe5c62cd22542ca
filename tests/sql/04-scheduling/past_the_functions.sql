-- What personas try by SQL, with a session but without the functions; every one of these once worked.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward,
  tests.doctor(d.ward, 'doc@example.test', tests.room(d.ward)) as doc,
  tests.doctor(d.ward, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.patient('cid@example.test') as cid,
  tests.type_id() as type
from (select tests.department() as ward) as d;
alter table who add at timestamptz, add a bigint;
update who set at = tests.next_working_instant(doc, '10:00');
update who set a = tests.appointment(doc, ann, at);
grant select on who to public;

-- A time held for somebody makes him nobody's patient.
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
select cid, doc, type, at + interval '3 hours', 'held' from who;
select tests.authenticate_as('doc@example.test');
select is(
  tests.would_be('select hospital.open_chart(cid, ''treatment'') from who'),
  'NTFND', 'A held time opens no chart.'
);
select is(
  tests.would_be($$insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason) select doc, bob, tstzrange(at, at + interval '1 hour'), 'urgent_need' from who$$),
  '42501', 'Nor is leave granted to strangers.'
);
select is(hospital_private.booking_conflict(null, cid, null, tstzrange(at + interval '3 hours', at + interval '4 hours')), null, 'Nor is a doctor told when strangers are busy.')
from who;
select is(hospital_private.booking_conflict(null, ann, null, tstzrange(at, at + interval '1 hour')), 'patient', 'He is told of his own patients.')
from who;

-- Triggers tell nothing of patients whom the writer does not see.
select tests.clear_authentication();
select tests.be_owner();
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where patient_id = (select cid from who);
update hospital.patients set deactivated_at = now(), deactivation_reason = 'moved away' where id = (select cid from who);
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(
  tests.would_be(format('insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select %s, doc, type, at + interval ''2 hours'' from who', p)),
  '42501', 'Closed, open or unknown: all the same to a stranger.'
) from who, unnest(array[cid, bob, -1]) as p;
select is(
  tests.would_be(format('insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_before) select %s, type, doc, at from who', p)),
  '42501', 'On the waitlist, too.'
) from who, unnest(array[cid, bob, -1]) as p;
select is(
  hospital_private.booking_conflict(null, bob, null, tstzrange(at, at + interval '1 hour'), a),
  null, 'Another''s calendar says nothing'
) from who;
select is(
  hospital_private.booking_conflict(doc, bob, null, tstzrange(at, at + interval '1 hour'), a),
  'doctor', 'and which appointment is where is not found by leaving it out.'
) from who;

-- A limit is not avoided by a detour over the check-in.
select tests.clear_authentication();
update hospital.doctors set daily_limit = 1 where id = (select doc from who);
select tests.appointment(doc, bob, at + interval '1 day') from who;
select tests.authenticate_as_role('reception');
select is(
  tests.would_be($$update hospital.appointments set starts_at = (select at + interval '1 day 2 hours' from who) where id = (select a from who)$$),
  'LIMIT', 'A full day is full'
);
select hospital.check_in(a) from who;
select is(
  tests.would_be($$update hospital.appointments set starts_at = (select at + interval '1 day 2 hours' from who) where id = (select a from who)$$),
  'LIMIT', 'for who is checked in as well.'
);
select is(
  tests.would_be('select hospital.mark_no_show(a) from who'),
  'TRNSN', 'Nor is he missing before it begins.'
);
update hospital.appointments set status = 'scheduled' where id = (select a from who);

-- History is not written by moving into it.
select is(
  tests.would_be($$update hospital.appointments set starts_at = starts_at - interval '70 days' where id = (select a from who)$$),
  'PASTT', 'Nothing is moved into the past,'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select ann, doc, type, at - interval '35 days' from who$$),
  'PASTT', 'or booked there,'
);
select tests.be_owner();
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select ann, doc, type, at - interval '35 days' from who$$),
  'accepted', 'but by a tool that loads history.'
);

-- Another doctor, another room: not the one of the doctor before.
update hospital.appointments set doctor_id = (select other from who) where id = (select a from who);
select is(room_id, null, 'Where the other doctor''s hours name no room there is none.')
from hospital.appointments where id = (select a from who);

-- Leave is given once.
insert into hospital.appointment_overrides (doctor_id, patient_id, span, reason)
select other, ann, tstzrange(at, at + interval '1 day'), 'urgent_need' from who;
update hospital.appointments set override_id = (select max(id) from hospital.appointment_overrides) where id = (select a from who);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, override_id) select ann, other, type, at + interval '2 hours', (select max(id) from hospital.appointment_overrides) from who$$),
  'appointments_one_use_of_override', 'Leave is given for one appointment.'
);

-- Hours do not vanish from under appointments.
select tests.clear_authentication();
select tests.be_owner();
select is(
  tests.would_be('truncate hospital.doctor_schedules'),
  'INWAY', 'Nor by emptying the table.'
);
select is(
  tests.would_be(format('update hospital.doctors set staff_member_id = %s where id = (select doc from who)', tests.staff_member('doctor', tests.department(tests.facility('Asia/Tokyo'))))),
  'INWAY', 'Nor by making the doctor somebody else.'
);
select * from finish();
rollback;

-- A hold takes time until the clock ends it, with no worker running, and never after.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward, d.room,
  tests.doctor(d.ward, 'doc@example.test', d.room) as doc,
  tests.doctor(d.ward, 'other@example.test', d.room) as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.type_id() as type
from (select w.ward, tests.room(w.ward) as room from (select tests.department() as ward) as w) as d;
alter table who add at timestamptz, add held bigint;
update who set at = tests.next_working_instant(doc, '10:00');
grant select, update on who to public;
-- Only the clock ends a hold; here it is put back, as the superuser may.
create function pg_temp.run_out() returns void
language sql
security definer
as $$
  update hospital.appointments set expires_at = clock_timestamp() - interval '1 second' where status = 'held';
$$;

select tests.authenticate_as('ann@example.test');
update who set held = (hospital.hold_slot(ann, doc, type, at)).id;
select results_eq(
  $$ select status, expires_at > clock_timestamp() + interval '9 minutes', expires_at <= clock_timestamp() + interval '10 minutes', room_id
    from hospital.appointments where id = (select held from who) $$,
  $$ select 'held', true, true, room from who $$,
  'A patient holds a time for the minutes its type says.'
);
select is(
  tests.would_be('select hospital.hold_slot(ann, other, type, at) from who'),
  'PATBU', 'She cannot hold two times at once with two doctors.'
);
select is(
  tests.would_be('select hospital.hold_slot(bob, doc, type, at) from who'),
  'NTFND', 'Nor hold for Bob.'
);
select is(
  tests.would_be('select hospital.hold_slot(ann, doc, type, now()) from who'),
  'PASTT', 'Nor what has passed.'
);
select is(
  tests.would_be('update hospital.appointments set expires_at = expires_at where id = (select held from who)'),
  '42501', 'How long is not hers to say.'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at) select ann, doc, type, at + interval '1 hour', 'held', 'infinity' from who$$),
  '42501', 'Not when she makes it either.'
);

-- ### Bob, while it lives and after
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select is(tests.would_be('select hospital.book_appointment(bob, doc, type, at) from who'), 'SLOTT', 'Nobody else books it.');
select is(tests.would_be('select hospital.hold_slot(bob, doc, type, at) from who'), 'SLOTT', 'Nor holds it.');
select is(
  tests.would_be('select hospital.book_appointment(bob, other, type, at) from who'),
  'ROOMT', 'The room is held with it.'
);
select is(tests.would_be('select hospital.confirm_hold(held) from who'), 'NTFND', 'Nor confirms it.');
select is(count(*), 0::bigint, 'It is not offered.')
from who, hospital.free_slots(who.doc, null, who.type, who.at, who.at + interval '1 minute');
select pg_temp.run_out();
select is(count(*), 1::bigint, 'When it has run out it is offered again, though nothing ran.')
from who, hospital.free_slots(who.doc, null, who.type, who.at, who.at + interval '1 minute');
select is(tests.would_be('select hospital.book_appointment(bob, doc, type, at) from who'), 'accepted', 'And booked.');
select is(tests.would_be('select hospital.hold_slot(bob, doc, type, at) from who'), 'accepted', 'Or held.');
select is(
  tests.would_be('select hospital.book_appointment(bob, other, type, at) from who'),
  'accepted', 'The room is free with it.'
);

-- ### Every path past the functions
select tests.clear_authentication();
select tests.be_owner();
select is(
  tests.would_be('insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select bob, doc, type, at from who'),
  'accepted', 'An insert of the owner is not blocked by it.'
);
select is(
  tests.would_be('insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select ann, other, type, at from who'),
  'accepted', 'Nor one for the patient who held it.'
);
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
select bob, doc, type, at + interval '2 hours' from who;
select is(
  tests.would_be($$update hospital.appointments set starts_at = (select at from who) where status = 'scheduled'$$),
  'accepted', 'Another appointment is moved onto it.'
);
select is(
  tests.would_be($$update hospital.appointments set status = 'scheduled' where id = (select held from who)$$),
  'XHOLD', 'A hold that has run out is not confirmed, not even by the owner.'
);
select is(
  tests.would_be($$update hospital.appointments set status = 'checked_in' where id = (select held from who)$$),
  'XHOLD', 'Nor in any other way.'
);
select is(
  tests.would_be($$update hospital.appointments set status = 'lapsed' where id = (select held from who)$$),
  'accepted', 'It lapses.'
);
update hospital.appointments set expires_at = clock_timestamp() + interval '1 year' where id = (select held from who);
select ok(expires_at <= clock_timestamp(), 'And is never made longer.')
from hospital.appointments where id = (select held from who);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at) select ann, other, type, at + interval '4 hours', 'held', 'infinity' from who$$),
  'accepted', 'A hold for ever is made'
);
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at)
select ann, other, type, at + interval '4 hours', 'held', 'infinity' from who;
select ok(expires_at <= clock_timestamp() + interval '10 minutes', 'as long as its type says.')
from hospital.appointments, who where doctor_id = who.other and status = 'held';
update hospital.appointments set status = 'cancelled', cancellation_reason = 'entered_in_error' where doctor_id = (select other from who) and status = 'held';

-- What took its time ended it, in the same transaction.
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select bob, doc, type, at from who;
select is(status, 'lapsed', 'Whoever takes the time ends the hold.')
from hospital.appointments where id = (select held from who);
select results_eq(
  'select from_status, to_status from hospital.appointment_status_history where appointment_id = (select held from who) order by id',
  $$ values (null, 'held'), ('held', 'lapsed') $$, 'The history says so.'
);
select is(
  tests.would_be($$update hospital.appointments set status = 'completed' where id = (select held from who)$$),
  'appointment_status_history_transition_allowed', 'What has lapsed stays so.'
);

-- ### Confirming
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(tests.would_be('select hospital.confirm_hold(held) from who'), 'XHOLD', 'What has lapsed is not confirmed.');
update who set held = (hospital.hold_slot(ann, doc, type, at + interval '1 hour')).id;
select results_eq(
  $$ select a.id, a.status, a.expires_at, a.reason from who, hospital.confirm_hold(held, 'Fever') as a $$,
  $$ select held, 'scheduled', null::timestamptz, 'Fever' from who $$, 'What is held is confirmed.'
);
select is(tests.would_be('select hospital.confirm_hold(held) from who'), 'TRNSN', 'Once.');
update who set held = (hospital.hold_slot(ann, doc, type, at + interval '3 hours')).id;
select is((hospital.book_appointment(ann, doc, type, at + interval '3 hours')).id, held, 'Booking what one holds confirms it.')
from who;
update who set held = (hospital.hold_slot(ann, doc, type, at + interval '5 hours')).id;
select is(
  tests.would_be('select hospital.cancel_appointment(held) from who'),
  'accepted', 'A held time is given back.'
);
select pg_temp.run_out();
select is(tests.would_be('select hospital.confirm_hold(held) from who'), 'XHOLD', 'Late is too late.');
select is(
  tests.would_be('select hospital.book_appointment(ann, doc, type, at + interval ''5 hours'') from who'),
  'accepted', 'But the time may still be free.'
);

-- Three at once.
select lives_ok(format('select hospital.hold_slot(ann, doc, type, at + interval ''7 days'' + interval ''%s hours'') from who', n), 'One holds ' || n)
from generate_series(1, 3) as n;
select is(
  tests.would_be('select hospital.hold_slot(ann, doc, type, at + interval ''7 days 4 hours'') from who'),
  'NHOLD', 'But not four.'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status) select ann, doc, type, at + interval '7 days 4 hours', 'held' from who$$),
  'NHOLD', 'Not past the function either.'
);
select * from finish();
rollback;

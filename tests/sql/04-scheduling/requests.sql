-- The same request under the same key has one effect and one answer; the key is its actor's own.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor(null, 'doc@example.test') as doc,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.type_id() as type;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create temporary table answers (name text, id bigint);
grant all on answers to public;

select tests.authenticate_as('ann@example.test');
insert into answers select 'first', (hospital.book_appointment(ann, doc, type, at, 'Cough', null, 'ann-key-1')).id from who;
select is((hospital.book_appointment(ann, doc, type, at, 'Cough', null, 'ann-key-1')).id, a.id, 'Repeated, it answers with the same appointment.')
from who, answers as a;
set local timezone = 'Asia/Tokyo';
select is((hospital.book_appointment(ann, doc, type, at, 'Cough', null, 'ann-key-1')).id, a.id, 'In another time zone, too.')
from who, answers as a;
select is(count(*), 1::bigint, 'There is one.') from hospital.appointments;
select is(
  tests.would_be($$select hospital.book_appointment(ann, doc, type, at, 'Fever', null, 'ann-key-1') from who$$),
  'IDKEY', 'With another reason it is another request.'
);
select is(
  tests.would_be($$select hospital.book_appointment(ann, doc, type, at + interval '1 hour', 'Cough', null, 'ann-key-1') from who$$),
  'IDKEY', 'With another time, too.'
);
select is(
  tests.would_be($$select hospital.hold_slot(ann, doc, type, at, 'ann-key-1') from who$$),
  'IDKEY', 'And holding is not booking.'
);
select is(
  tests.would_be($$select hospital.book_appointment(ann, doc, type, at, 'Cough', null, 'ann-key-2') from who$$),
  'SLOTT', 'Under another key the time is taken.'
);
select is(
  tests.would_be($$select hospital.book_appointment(ann, doc, type, at + interval '1 hour', null, null, 'short') from who$$),
  'idempotency_keys_key_plausible', 'A key has eight letters at least.'
);
select hospital.cancel_appointment(a.id) from answers as a;
select is((hospital.book_appointment(ann, doc, type, at, 'Cough', null, 'ann-key-1')).status, 'cancelled', 'The answer is the appointment as it is now.')
from who;
insert into answers select 'held', (hospital.hold_slot(ann, doc, type, at, 'ann-key-3')).id from who;
select is((hospital.hold_slot(ann, doc, type, at, 'ann-key-3')).id, a.id, 'Holding is repeated as well.')
from who, answers as a where a.name = 'held';
select is((hospital.reschedule_appointment(a.id, who.at + interval '2 hours', null, null, 'ann-key-4')).starts_at, who.at + interval '2 hours', 'And moving:')
from who, answers as a where a.name = 'held';
select is((hospital.reschedule_appointment(a.id, who.at + interval '2 hours', null, null, 'ann-key-4')).id, a.id, 'twice asked,')
from who, answers as a where a.name = 'held';
select is(count(*), 1::bigint, 'once done.') from hospital.appointment_moves;

-- A refused request leaves no key behind: it may be sent again when the time is free.
select is(
  tests.constraint_of($$select hospital.book_appointment(ann, doc, type, at + interval '5 days', null, null, 'ann-key-5') from who$$),
  'OUTWH', 'What was refused'
);
select is(
  tests.would_be($$select hospital.book_appointment(ann, doc, type, at + interval '1 day', null, null, 'ann-key-5') from who$$),
  'accepted', 'has not used its key.'
);

-- ### Bob
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select isnt((hospital.book_appointment(bob, doc, type, at + interval '4 hours', null, null, 'ann-key-1')).id, a.id, 'The same word is another key in another mouth.')
from who, answers as a where a.name = 'first';
select is(
  tests.would_be('select * from hospital_private.idempotency_keys'),
  '42501', 'Nobody reads the keys.'
);
-- Whatever he writes into his own keys, he is told only of what he may see.
select hospital_private.remember_request('bob-forged', 'hold_slot', jsonb_build_array(bob, doc, type, extract(epoch from at))::text, a.id)
from who, answers as a where a.name = 'first';
select is(
  tests.would_be($$select hospital.hold_slot(bob, doc, type, at, 'bob-forged') from who$$),
  'NTFND', 'A forged answer is not found.'
);

select tests.clear_authentication();
select tests.be_owner();
select is(
  tests.would_be($$select hospital.book_appointment(bob, doc, type, at + interval '5 hours', null, null, 'tool-key-1') from who$$),
  'UNAUT', 'A key belongs to somebody.'
);
select is(count(*), 0::bigint, 'No payload is kept, only its digest.')
from hospital_private.idempotency_keys as k
where encode(k.payload_hash, 'escape') like '%Cough%';
select * from finish();
rollback;

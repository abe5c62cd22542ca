-- Freed time is offered to who waits for it, one at a time and each once, by holds that end by the clock.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward,
  tests.doctor(d.ward, 'doc@example.test', d.room) as doc,
  tests.doctor(d.ward, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.patient('cat@example.test') as cat,
  tests.patient('dan@example.test') as dan,
  tests.type_id() as type
from (select w.ward, tests.room(w.ward) as room from (select tests.department() as ward) as w) as d;
alter table who add at timestamptz, add booked bigint, add entry bigint, add offer bigint;
update who set at = tests.next_working_instant(doc, '10:00');
-- Everything but ten o'clock is taken, so that only what is freed can be offered.
create function pg_temp.fill(doctor bigint) returns void
language sql
security definer
as $$
  insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
  select $1, now() - interval '1 hour', w.at, (select min(r.code) from hospital.time_off_reasons as r) from who as w
  union all
  select $1, w.at + interval '30 minutes', now() + interval '90 days', (select min(r.code) from hospital.time_off_reasons as r) from who as w;
$$;
select pg_temp.fill(doc), pg_temp.fill(other) from who;
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select other, at, at + interval '30 minutes', (select min(r.code) from hospital.time_off_reasons as r) from who;
update who set booked = tests.appointment(doc, ann, at);
select tests.staff('reception', ward, 'desk@example.test') from who;
grant select, update on who to public;
create function pg_temp.run_out() returns void
language sql
security definer
as $$
  update hospital.appointments set expires_at = clock_timestamp() - interval '1 second' where status = 'held';
$$;
create function pg_temp.offers() returns table (patient text, status text, starts_at timestamptz)
language sql
security definer
as $$
  select split_part(c.email, '@', 1), a.status, a.starts_at
  from hospital.appointments as a
  join hospital_private.accounts as c on c.patient_id = a.patient_id
  where a.waitlist_entry_id is not null
  order by a.id;
$$;

-- ### joining
select tests.authenticate_as('bob@example.test');
update who set entry = (hospital.join_waitlist(bob, type, doctor_id => doc)).id;
select results_eq(
  $$ select patient_id, doctor_id, department_id, priority, status, starts_before - now() from hospital.waitlist_entries $$,
  $$ select bob, doc, ward, 0, 'waiting', interval '60 days' from who $$,
  'A patient joins for a doctor, in the doctor''s department, for two months unless told otherwise.'
);
select is((hospital.join_waitlist(bob, type, doctor_id => doc, starts_before => now() + interval '30 days')).id, entry, 'Who waits for the same keeps his place') from who;
select is((select starts_before - now() from hospital.waitlist_entries), interval '30 days', 'and says anew when it suits.');
select is((hospital.join_waitlist(bob, type, department_id => ward, idempotency_key => 'join-once-1')).id,
  (hospital.join_waitlist(bob, type, department_id => ward, idempotency_key => 'join-once-1')).id, 'A repeated request is one.') from who;
select is((hospital.leave_waitlist((hospital.join_waitlist(bob, type, department_id => ward)).id)).status, 'withdrawn', 'Whoever joined may leave') from who;
select is((hospital.leave_waitlist(e.id)).status, 'withdrawn', 'and say so twice.') from hospital.waitlist_entries as e where e.doctor_id is null;
select is(tests.would_be('select hospital.join_waitlist(bob, type) from who'), 'MISSA', 'A doctor or a department is named.');
select is(tests.would_be('select hospital.join_waitlist(cat, type, ward) from who'), 'NTFND', 'Nobody joins for another patient.');
select is(tests.would_be('select hospital.join_waitlist(bob, type, 0::bigint) from who'), 'NTFND', 'No department is no department.');
select is(tests.would_be($$select hospital.join_waitlist(bob, type, ward, starts_before => now() - interval '1 hour') from who$$), 'PASTT', 'Nobody waits for the past.');
select is(tests.would_be('select hospital.join_waitlist(bob, type, ward, priority => 9) from who'), '42501', 'A patient does not say who comes first');
select is(tests.would_be($$update hospital.waitlist_entries set status = 'booked' where id = (select entry from who)$$), '42501', 'or that his wish was fulfilled');
select is(tests.would_be($$update hospital.waitlist_entries set joined_at = '2000-01-01'$$), '42501', 'or since when he waits.');
update hospital.waitlist_entries set status = 'waiting' where status = 'withdrawn';
select is((select count(*) from hospital.waitlist_entries where status = 'withdrawn'), 1::bigint, 'A place given up is not taken back.');
select tests.authenticate_as('cat@example.test');
select isnt_empty('select (hospital.join_waitlist(cat, type, ward)).id from who', 'Cat waits for any doctor of the department.');
select is((select count(*) from hospital.waitlist_entries), 1::bigint, 'She sees nobody else''s wish.');
select tests.authenticate_as('desk@example.test');
select is((hospital.join_waitlist(dan, type, ward, priority => 5)).priority, 5, 'Reception says who comes first.') from who;
select tests.authenticate_as('doc@example.test');
select is(tests.would_be('select * from hospital.waitlist_entries'), '42501', 'A doctor reads no waitlist.');
select tests.clear_authentication();
select is(tests.would_be('select hospital.join_waitlist(dan, t.id, ward) from who, hospital.appointment_types as t where t.code = ''walk_in'''), 'NOTBK', 'Nobody waits for what cannot be booked, on any path.');

-- ### offering
select is(ops.offer_waitlist(), 0::bigint, 'Nothing is free, nothing is offered.');
select tests.authenticate_as('ann@example.test');
select is((hospital.cancel_appointment(booked)).status, 'cancelled', 'Ann cancels') from who;
select tests.clear_authentication();
select results_eq('select * from pg_temp.offers()', $$ select 'dan', 'held', at from who $$, 'and the time is offered at once, to the highest priority, with no worker running.');
update who set offer = (select id from hospital.appointments where status = 'held');
select ok(a.expires_at between clock_timestamp() + interval '119 minutes' and clock_timestamp() + interval '120 minutes', 'For as long as its type says.') from hospital.appointments as a, who where a.id = offer;
select is((select n.body from hospital.notifications as n, who where n.reason = 'offer:' || offer and n.patient_id = dan),
  (select format('You can have an appointment on %s, %s, %s. It is kept for you until %s.',
    hospital_private.told_time(a.starts_at, f.time_zone, null, false), d.name, f.name, hospital_private.told_time(a.expires_at, f.time_zone, null, false))
   from hospital.appointments as a, hospital.departments as d, hospital.facilities as f, who where a.id = offer and d.id = ward and f.id = d.facility_id),
  'A message tells him.');
select is(hospital_private.offer_freed_time(doc, tstzrange(at, at + interval '30 minutes')), 0, 'The time is held, so it is offered to nobody else.') from who;
select tests.authenticate_as('ann@example.test');
select is(tests.would_be('select hospital.book_appointment(ann, doc, type, at) from who'), 'SLOTT', 'Nor can anybody book it.');
select is(tests.would_be('select hospital.accept_offer(offer) from who'), 'NTFND', 'Nobody accepts another''s offer.');

-- ### refusing, letting run out, accepting
select tests.authenticate_as('dan@example.test');
select results_eq('select r.status, r.cancellation_reason from who, hospital.refuse_offer(offer) as r', $$ values ('cancelled', 'offer_refused') $$, 'Dan refuses');
select is((hospital.refuse_offer(offer)).status, 'cancelled', 'and may say so twice.') from who;
select is(tests.would_be('select hospital.accept_offer(offer) from who'), 'TRNSN', 'A refused offer is not accepted.');
select tests.clear_authentication();
select results_eq('select patient, status from pg_temp.offers()', $$ values ('dan', 'cancelled'), ('bob', 'held') $$, 'The next is asked at once, in the order of joining.');
select is((select array_agg(n.withdrawn_at is not null order by n.id) from hospital.notifications as n), '{t,f}', 'The message of an offer that is over is not sent any more.');
select is((select count(*) from hospital.waitlist_entries as e, who where e.patient_id = dan and e.status = 'waiting'), 1::bigint, 'Dan keeps waiting.');
select pg_temp.run_out();
select is(hospital_private.offer_freed_time(doc, tstzrange(at, at + interval '30 minutes')), 1, 'An offer that ran out is in nobody''s way') from who;
select results_eq('select patient, status from pg_temp.offers()', $$ values ('dan', 'cancelled'), ('bob', 'lapsed'), ('cat', 'held') $$, 'and nobody is asked twice.');
select pg_temp.run_out();
select tests.authenticate_as('cat@example.test');
select is(tests.would_be($$select hospital.accept_offer(id) from hospital.appointments where status = 'held'$$), 'XHOLD', 'What ran out is not accepted.');
select tests.authenticate_as('ann@example.test');
select is((hospital.book_appointment(ann, doc, type, at)).status, 'scheduled', 'Anybody may book what ran out, with no worker running.') from who;
select is((hospital.cancel_appointment(a.id)).status, 'cancelled', 'She gives it up again:') from hospital.appointments as a where a.status = 'scheduled';
select tests.clear_authentication();
select is((select count(*) from pg_temp.offers() where status = 'held'), 0::bigint, 'all were asked about that time, so it is simply free.');
select is(ops.offer_waitlist(), 0::bigint, 'The job asks nobody again either.');

-- ### the job: free time of which nobody told
select tests.authenticate_as('desk@example.test');
create temporary table late on commit drop as select * from who, lateral hospital.join_waitlist(ann, type, doctor_id => other) as e;
grant select on late to public;
select tests.clear_authentication();
select is((select count(*) from pg_temp.offers() where status = 'held'), 0::bigint, 'Joining books nothing and asks nobody.');
delete from hospital.doctor_time_off where (doctor_id, starts_at) = (select other, at from who);
set local role hospital_worker;
-- Ann by name, and Dan for any doctor: with the other doctor the same time is free.
select is(ops.offer_waitlist(), 1::bigint, 'The job offers what is free already');
select is(ops.offer_waitlist(), 0::bigint, 'once.');
reset role;
select results_eq('select patient, status from pg_temp.offers() offset 3', $$ values ('dan', 'held') $$, 'It asks in the order of the queue, over all doctors.');
select pg_temp.run_out();
set local role hospital_worker;
select is(ops.expire_holds(), 1::bigint, 'The other job writes down that an offer ran out');
reset role;
select results_eq('select patient, status from pg_temp.offers() offset 3', $$ values ('dan', 'lapsed'), ('cat', 'held') $$, 'and asks the next.');
select tests.authenticate_as('cat@example.test');
select is(
  (hospital.book_appointment(a.patient_id, a.doctor_id, a.appointment_type_id, a.starts_at)).id, a.id,
  'Booking the offered time accepts it.'
) from hospital.appointments as a where a.status = 'held';
select is((hospital.accept_offer(a.id)).status, 'scheduled', 'Accepting twice is accepting once.') from hospital.appointments as a where a.status = 'scheduled';
select is((select status from hospital.waitlist_entries), 'booked', 'The wish is fulfilled.');
select is(tests.would_be('select hospital.leave_waitlist(id) from hospital.waitlist_entries'), 'TRNSN', 'And cannot be taken back.');
select is(tests.would_be($$select hospital.refuse_offer(id) from hospital.appointments where status = 'scheduled'$$), 'TRNSN', 'What was accepted is cancelled, not refused.');
select tests.clear_authentication();

-- ### long stretches, other wishes, other paths
update hospital.waitlist_entries set status = 'withdrawn' where doctor_id is null;
create temporary table long on commit drop as
select tests.doctor(ward) as doc, tests.patient('eve@example.test') as eve, tests.patient('fay@example.test') as fay, tests.patient('gus@example.test') as gus from who;
insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_from, starts_before)
select p.id, tests.type_id(p.type), long.doc, now(), now() + interval '30 days'
from long, lateral (values (1, eve, 'procedure'), (2, fay, 'consultation'), (3, gus, 'follow_up')) as p (n, id, type) order by p.n;
select is(
  hospital_private.offer_freed_time(doc, tstzrange(tests.next_working_instant(doc, '08:00'), tests.next_working_instant(doc, '11:00'))), 3,
  'A long stretch is offered to as many as it has room for.'
) from long;
select results_eq(
  $$ select patient, status, starts_at from pg_temp.offers() where patient in ('eve', 'fay', 'gus') $$,
  $$ select v.name, 'held', tests.next_working_instant(long.doc, v.local) from long, (values ('eve', time '08:15'), ('fay', '09:45'), ('gus', '10:15')) as v (name, local) $$,
  'Each at a quarter of an hour, buffers between them.'
);
select is((select bool_and(extract(epoch from starts_at)::bigint % 900 = 0) from pg_temp.offers()), true, 'Every offer starts at a quarter of an hour.');
select is(
  (select count(*) from hospital.appointments as a join hospital.appointments as b on b.id > a.id and b.busy && a.busy and b.doctor_id = a.doctor_id where a.status = 'held' and b.status = 'held'),
  0::bigint, 'No two overlap.'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, waitlist_entry_id)
    select a.patient_id, a.doctor_id, a.appointment_type_id, a.starts_at + interval '4 hours', 'held', a.waitlist_entry_id from hospital.appointments as a where a.status = 'held' limit 1$$),
  'appointments_one_offer_of_patient', 'A patient has one offer at a time, for the owner too.'
);
select is(
  tests.would_be($$update hospital.appointments set status = 'cancelled', cancellation_reason = 'offer_refused' where id = (select booked from who)$$),
  'appointments_only_offers_are_refused', 'Only offers are refused.'
);
-- A wish whose window has not come, and one that a rule forbids, stop nothing.
create temporary table barred on commit drop as
select tests.doctor(ward) as doc, tests.patient() as closed, tests.patient() as patient, null::bigint as booked from who;
update barred set booked = tests.appointment(doc, patient);
insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_from, starts_before)
select closed, tests.type_id(), doc, now(), now() + interval '30 days' from barred
union all select patient, tests.type_id(), doc, now() + interval '29 days', now() + interval '30 days' from barred;
update hospital.patients set deactivated_at = now(), deactivation_reason = 'moved away' where id = (select closed from barred);
update hospital.waitlist_entries set priority = 9 where patient_id = (select closed from barred);
select lives_ok($$ select tests.authenticate_as(tests.email_of_patient(patient)) from barred $$, 'The patient whose appointment it is');
select is((hospital.cancel_appointment(a.id)).status, 'cancelled', 'cancels although the first in the queue can be offered nothing.') from hospital.appointments as a where a.status = 'scheduled';
select tests.clear_authentication();
select is((select count(*) from hospital.appointments as a, barred where a.doctor_id = barred.doc and a.status = 'held'), 0::bigint, 'A time before it suits is not offered.');

-- ### keys of repeated requests are forgotten
insert into hospital_private.idempotency_keys (account_id, key, operation, payload_hash, result_id, created_at)
select (select min(id) from hospital_private.accounts), k.key, 'x', sha256('x'), 1, now() - k.age
from (values ('forgotten', interval '31 days'), ('remembered', interval '29 days')) as k (key, age);
set local role hospital_worker;
select is(ops.expire_holds() >= 0, true, 'The job that tidies up');
reset role;
select is(array(select key from hospital_private.idempotency_keys where operation = 'x'), '{remembered}', 'forgets the keys of requests after a month.');

select * from finish();
rollback;

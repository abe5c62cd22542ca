-- Time is offered however it is given back; nobody is asked twice, about two times at once, or waits for
-- everything; and what the jobs do at once has an end.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward,
  tests.doctor(d.ward, 'doc@example.test') as doc,
  tests.department() as elsewhere,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.patient('cat@example.test') as cat,
  tests.type_id() as type
from (select tests.department() as ward) as d;
alter table who add at timestamptz, add booked bigint;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
-- A doctor who works only for an hour and a half from ten o'clock on.
create function pg_temp.fill(doctor bigint) returns bigint
language sql
security definer
as $$
  insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
  select $1, now() - interval '1 hour', w.at, (select min(r.code) from hospital.time_off_reasons as r) from who as w
  union all
  select $1, w.at + interval '90 minutes', now() + interval '90 days', (select min(r.code) from hospital.time_off_reasons as r) from who as w;
  select $1;
$$;
create function pg_temp.wish(patient bigint, doctor bigint, type text default 'consultation') returns bigint
language sql
security definer
as $$
  insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_before)
  values ($1, tests.type_id($3), $2, now() + interval '60 days')
  returning id;
$$;
create function pg_temp.offers(doctor bigint) returns table (patient text, status text, minute integer)
language sql
security definer
as $$
  select split_part(c.email, '@', 1), a.status, (extract(epoch from a.starts_at - w.at) / 60)::integer
  from hospital.appointments as a
  join hospital_private.accounts as c on c.patient_id = a.patient_id
  cross join who as w
  where a.waitlist_entry_id is not null and a.doctor_id = $1
  order by a.id;
$$;
create function pg_temp.run_out() returns void
language sql
security definer
as $$
  update hospital.appointments set expires_at = clock_timestamp() - interval '1 second' where status = 'held';
$$;

-- ### every path
create temporary table path on commit drop as
select
  pg_temp.fill(tests.doctor(ward)) as called_off,
  pg_temp.fill(tests.doctor(ward)) as moved,
  pg_temp.fill(tests.doctor(ward)) as given_away,
  pg_temp.fill(tests.doctor(ward)) as shortened,
  pg_temp.fill(tests.doctor(ward)) as lapsed,
  pg_temp.fill(tests.doctor(ward)) as filled
from who;
create temporary table day on commit drop as
select
  d.doctor,
  tests.appointment(d.doctor, null, at) as first,
  tests.appointment(d.doctor, null, at + interval '30 minutes', 'new_patient') as second,
  tests.patient('of-' || d.name || '@example.test') as waiter
from path, who, lateral (
  values ('called-off', called_off), ('moved', moved), ('given-away', given_away), ('shortened', shortened), ('lapsed', lapsed)
) as d (name, doctor);
select pg_temp.wish(waiter, doctor) from day;
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request'
where id = (select first from day, path where doctor = called_off);
select results_eq('select o.* from path, pg_temp.offers(called_off) as o', $$ values ('of-called-off', 'held', 0) $$, 'What the owner cancels in plain SQL is offered in the same statement');
update hospital.appointments as a set doctor_id = path.filled from path where a.id = (select first from day where doctor = path.given_away);
select results_eq('select o.* from path, pg_temp.offers(given_away) as o', $$ values ('of-given-away', 'held', 0) $$, 'and what goes to another doctor,');
update hospital.appointments as a set status = 'cancelled', cancellation_reason = 'patient_request' from path where a.id = (select second from day where doctor = path.moved);
select pg_temp.run_out();
select is_empty($$ select from path, pg_temp.offers(moved) as o where o.minute = 0 $$, '(ten o''clock is taken)');
update hospital.appointments as a set starts_at = a.starts_at + interval '60 minutes' from path where a.id = (select first from day where doctor = path.moved);
select results_eq('select o.* from path, pg_temp.offers(moved) as o offset 1', $$ values ('of-moved', 'held', 0) $$, 'and what is moved,');
update hospital.appointments as a set ends_at = a.ends_at + interval '0 minutes' from path where a.id = (select second from day where doctor = path.shortened);
select is_empty('select from path, pg_temp.offers(shortened)', '(nothing was given back)');
update hospital.appointments as a set ends_at = a.ends_at - interval '30 minutes' from path where a.id = (select second from day where doctor = path.shortened);
select results_eq('select o.* from path, pg_temp.offers(shortened) as o', $$ values ('of-shortened', 'held', 60) $$, 'and the rest of what is shortened.');
update hospital.appointments as a set status = 'cancelled', cancellation_reason = 'patient_request' from path where a.id = (select second from day where doctor = path.lapsed);
select pg_temp.run_out();
select pg_temp.wish(ann, lapsed) from who, path;
update hospital.appointments as a set status = 'lapsed' from path where a.status = 'held' and a.doctor_id = path.lapsed;
select results_eq('select o.* from path, pg_temp.offers(lapsed) as o', $$ values ('of-lapsed', 'lapsed', 30) $$, 'What lapses is not: who ends it wants it.');
select is(ops.offer_waitlist(), 1::bigint, 'The job offers that.');
select results_eq('select o.* from path, pg_temp.offers(lapsed) as o offset 1', $$ values ('ann', 'held', 30) $$, 'It does.');
update hospital.waitlist_entries set status = 'withdrawn' where status = 'waiting';
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where status in ('held', 'scheduled');

-- ### one time at a time, and each time once
create temporary table two on commit drop as
select pg_temp.fill(tests.doctor(ward)) as doc, pg_temp.fill(tests.doctor(ward)) as other from who;
grant select on two to public;
alter table two add first bigint, add second bigint;
update two set first = tests.appointment(two.doc, null, at, 'new_patient'), second = tests.appointment(other, null, at, 'new_patient') from who;
select pg_temp.wish(bob, two.doc), pg_temp.wish(bob, two.other, 'follow_up'), pg_temp.wish(bob, two.doc, 'follow_up') from who, two;
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where id in (select unnest(array[first, second]) from two);
select is((select count(*) from hospital.appointments, who where patient_id = bob and status = 'held'), 1::bigint, 'Whoever has three wishes is asked about one time at a time.');
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, waitlist_entry_id)
    select bob, e.doctor_id, e.appointment_type_id, at + interval '75 minutes', 'held', e.id
    from who, hospital.waitlist_entries as e where e.patient_id = bob and e.status = 'waiting' order by e.id desc limit 1$$),
  'appointments_one_offer_of_patient', 'Nobody makes a second offer, not the owner either.'
);
select is(ops.offer_waitlist(), 0::bigint, 'Nor does the job.');
select pg_temp.run_out();
select is(ops.offer_waitlist(), 1::bigint, 'When that has run out he is asked about the other time');
select results_eq('select status from two, pg_temp.offers(doc) union all select status from two, pg_temp.offers(other)', $$ values ('lapsed'), ('held') $$, 'and the first is over.');
select tests.authenticate_as('bob@example.test');
select is((hospital.refuse_offer(a.id)).status, 'cancelled', 'He refuses') from hospital.appointments as a where a.status = 'held';
select is((hospital.leave_waitlist(e.id)).status, 'withdrawn', 'leaves') from hospital.waitlist_entries as e where e.status = 'waiting';
select is((hospital.join_waitlist(bob, tests.type_id(t.code), doctor_id => d)).status, 'waiting', 'and joins again, for this and that:')
from who, two, unnest(array[two.doc, two.other]) as d, (values ('consultation'), ('telehealth')) as t (code);
select tests.clear_authentication();
select is(ops.offer_waitlist(), 0::bigint, 'he was asked about either morning,');
select is((select count(*) from (
  select from hospital.appointments as a join hospital.appointments as b on b.id > a.id and b.doctor_id = a.doctor_id and b.busy && a.busy
  join who on a.patient_id = bob and b.patient_id = bob where a.waitlist_entry_id is not null and b.waitlist_entry_id is not null
) as twice), 0::bigint, 'and about nothing twice.');
update hospital.waitlist_entries set status = 'withdrawn' where status = 'waiting';

-- ### five wishes
select tests.authenticate_as('cat@example.test');
select is((hospital.join_waitlist(cat, t.id, ward)).status, 'waiting', 'Cat waits for ' || t.name)
from who, hospital.appointment_types as t where t.is_bookable and t.code <> 'telehealth';
select is((select count(*) from hospital.waitlist_entries), 5::bigint, 'Five wishes are open.');
select is(tests.would_be($$select hospital.join_waitlist(cat, tests.type_id('telehealth'), ward) from who$$), 'WISHN', 'A sixth is one too many');
select is(tests.would_be($$insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before) select cat, tests.type_id('telehealth'), ward, now() + interval '1 day' from who$$), 'WISHN', 'in SQL as well.');
select is(tests.would_be('select hospital.join_waitlist(cat, type, ward) from who'), 'accepted', 'The same again is none more.');
select is((hospital.leave_waitlist(e.id)).status, 'withdrawn', 'Who leaves for one') from who, hospital.waitlist_entries as e where e.appointment_type_id = type;
select is((hospital.join_waitlist(cat, tests.type_id('telehealth'), ward)).status, 'waiting', 'may wait for another.') from who;
select tests.clear_authentication();
select is(tests.would_be($$update hospital.waitlist_entries set status = 'waiting' where status = 'withdrawn' and patient_id = (select cat from who)$$), 'WISHN', 'The owner opens no sixth');
select is(tests.would_be($$update hospital.waitlist_entries set patient_id = (select cat from who), status = 'waiting' where id = (select min(id) from hospital.waitlist_entries)$$), 'WISHN', 'and makes no other''s wish hers.');
select is(tests.would_be($$insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before) select cat, type, ward, now() + interval '1 day' from who$$), 'WISHN', 'For the owner five are five.');

-- ### who and where must be
select tests.authenticate_as('ann@example.test');
select is(tests.would_be('select hospital.join_waitlist(ann, type, ward, 0) from who'), 'NTFND', 'A doctor that is not is not found, whatever the department,');
select is(tests.would_be('select hospital.join_waitlist(ann, type, 0, doc) from who'), 'NTFND', 'and a department that is not, whatever the doctor.');
select is(tests.would_be('select hospital.join_waitlist(ann, type, elsewhere, doc) from who'), 'NTFND', 'A doctor works in his own department.');
select is((hospital.join_waitlist(ann, type, ward, doc)).department_id, ward, 'There he is waited for.') from who;
select tests.clear_authentication();
select is(tests.would_be($$insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, doctor_id, starts_before) select bob, type, elsewhere, doc, now() + interval '1 day' from who$$), 'NTFND', 'The owner is told the same.');
update hospital.waitlist_entries set status = 'withdrawn' where status = 'waiting';

-- ### what is done at once
create temporary table crowd on commit drop as
select w.ward, tests.doctor(w.ward) as doc, array(select tests.patient() from generate_series(1, 27)) as patients
from (select tests.department() as ward) as w;
insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before)
select p, tests.type_id('follow_up'), ward, now() + interval '60 days' from crowd, unnest(patients) as p;
select set_config('infirmary.offers_left', '', true);
select is(ops.offer_waitlist(), 25::bigint, 'One run of the job makes 25 offers at most.');
select set_config('infirmary.offers_left', '', true);
select is(ops.offer_waitlist(), 2::bigint, 'The next goes on.');
select set_config('infirmary.offers_left', '', true);
-- Long ago, past all rules and triggers: only how many there are counts.
set local session_replication_role = replica;
insert into hospital.appointments
  (patient_id, doctor_id, appointment_type_id, department_id, starts_at, ends_at, busy, buffer_before_minutes, buffer_after_minutes, status, expires_at)
select bob, doc, type, ward, s.at, s.at + interval '15 minutes', tstzrange(s.at, s.at + interval '15 minutes'), 0, 0, 'held', s.at
from who, generate_series(timestamptz '2020-01-01 00:00Z', timestamptz '2020-01-01 00:00Z' + 200 * interval '15 minutes', interval '15 minutes') as s (at);
set local session_replication_role = origin;
create temporary table expired on commit drop as select count(*) as holds, max(id) as last from hospital.appointments where status = 'held' and expires_at <= clock_timestamp();
select is(ops.expire_holds(), 200::bigint, 'One run ends 200 holds at most,');
select is((select status from hospital.appointments, expired where id = last), 'held', 'the first first.');
select is(ops.expire_holds(), holds - 200, 'The next ends the rest.') from expired;
select is(ops.expire_holds(), 0::bigint, 'Then none is left.');

select * from finish();
rollback;

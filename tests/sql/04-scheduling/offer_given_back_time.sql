-- Time that is given back is offered, but never to who gave it back.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor(null, 'doc@example.test') as doc,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.type_id() as type;
alter table who add at timestamptz, add a bigint;
update who set at = tests.next_working_instant(doc, '10:00');
update who set a = tests.appointment(doc, ann, at);
grant select on who to public;
insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_before)
select p, type, doc, now() + interval '60 days' from who, unnest(array[ann, bob]) as p;

select tests.authenticate_as('ann@example.test');
select hospital.cancel_appointment(a) from who;
select tests.clear_authentication();
select results_eq(
  $$ select patient_id, starts_at from hospital.appointments where status = 'held' $$,
  $$ select bob, at from who $$,
  'Ann waits since before Bob, but gave the time back herself.'
);
select tests.authenticate_as('bob@example.test');
select hospital.refuse_offer(o.id) from hospital.appointments as o where o.status = 'held';
select tests.clear_authentication();
select is(count(*), 0::bigint, 'When he does not want it either, it is free.')
from hospital.appointments where status = 'held';
select is(count(*), 1::bigint, 'For everybody.')
from who, hospital.free_slots(who.doc, null, who.type, who.at, who.at + interval '1 minute');
select * from finish();
rollback;

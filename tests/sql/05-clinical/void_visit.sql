-- What was entered in error is marked, keeps its first reason, and no longer takes anybody's time.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.doctor(null, 'doc@example.test') as doc, tests.patient() as ann;
alter table who add a bigint, add v bigint;
update who set a = tests.appointment(doc, ann);
grant select, update on who to public;

select tests.authenticate_as('doc@example.test');
update who set v = (hospital.record_visit(a, 'Wrong patient')).id;
select throws_ok(
  'select hospital.void_visit(v, '' '') from who',
  '23514', null, 'A blank reason is none.'
);
select is((hospital.void_visit(v, 'The wrong patient')).void_reason, 'The wrong patient', 'With a reason it is voided.')
from who;
select is(a.status, 'completed', 'Its appointment is over.')
from hospital.appointments as a join who as w on w.a = a.id;
select is((hospital.void_visit(v, 'Another')).void_reason, 'The wrong patient', 'The first reason stays.')
from who;
select tests.clear_authentication();
select is(
  hospital_private.booking_conflict(w.doc, null, null, a.busy), null, 'And its time is free.'
)
from hospital.appointments as a join who as w on w.a = a.id;
select * from finish();
rollback;

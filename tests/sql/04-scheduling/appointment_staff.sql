-- Whoever takes part in an appointment follows it, and is never in two places, on any path.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward,
  tests.doctor(d.ward, 'doc@example.test') as doc,
  tests.doctor(d.ward, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.staff('nurse', d.ward, 'nurse@example.test') as nurse,
  tests.staff('nurse', tests.department(), 'far@example.test') as far,
  tests.staff('reception', d.ward, 'desk@example.test') as desk,
  tests.staff('administrator', d.ward, 'admin@example.test') as admin
from (select tests.department() as ward) as d;
alter table who add at timestamptz, add one bigint, add two bigint;
update who set at = tests.next_working_instant(doc, '10:00');
update who set one = tests.appointment(doc, ann, at), two = tests.appointment(other, bob, at);
grant select on who to public;

-- ### who assigns
select tests.authenticate_as('doc@example.test');
select results_eq(
  'select s.patient_id, s.job, s.busy, s.status from who, hospital.assign_appointment_staff(one, nurse) as s',
  $$ select ann, 'nurse', tstzrange(at, at + interval '30 minutes'), 'scheduled' from who $$,
  'A doctor assigns to the own appointment; time, status and job are derived.'
);
select is((hospital.assign_appointment_staff(one, nurse)).staff_member_id, nurse, 'Assigning twice is assigning once.') from who;
select is(tests.would_be('select hospital.assign_appointment_staff(two, nurse) from who'), 'NTFND', 'Not to another''s appointment.');
select is((select count(*) from hospital.appointment_staff), 1::bigint, 'He sees who takes part in his.');
select tests.authenticate_as('desk@example.test');
select is(tests.would_be('select hospital.assign_appointment_staff(two, nurse) from who'), 'STAFB', 'A nurse is not in two places.');
select is(tests.would_be('select hospital.assign_appointment_staff(two, d.staff_member_id) from who, hospital.doctors as d where d.id = doc'), 'NOTBK', 'A doctor''s calendar is the doctor''s own.');
select is(tests.would_be('select hospital.assign_appointment_staff(two, 0) from who'), 'NTFND', 'Nobody is nobody.');
select is((hospital.assign_appointment_staff(two, far)).status, 'scheduled', 'Reception assigns.') from who;
select is((hospital.unassign_appointment_staff(two, far)).id, two, 'And takes back.') from who;
select is(tests.would_be('select hospital.unassign_appointment_staff(two, far) from who'), 'NTFND', 'Who is not assigned is not taken back.');
select tests.authenticate_as('nurse@example.test');
select is((hospital.assign_appointment_staff(two, desk)).job, 'receptionist', 'A nurse assigns in the own department.') from who;
select is((hospital.unassign_appointment_staff(two, desk)).id, two, 'And takes back there.') from who;
select tests.authenticate_as('far@example.test');
select is(tests.would_be('select hospital.assign_appointment_staff(two, far) from who'), 'NTFND', 'Not elsewhere.');
select is((select count(*) from hospital.appointment_staff), 0::bigint, 'Where she sees nothing.');
select tests.authenticate_as('admin@example.test');
select is((hospital.assign_appointment_staff(two, desk)).job, 'receptionist', 'An administrator assigns') from who;
select is((hospital.unassign_appointment_staff(two, desk)).id, two, 'and takes back.') from who;
select tests.authenticate_as('bob@example.test');
select is(tests.would_be('select hospital.assign_appointment_staff(two, far) from who'), '42501', 'A patient assigns nobody');
select is((select count(*) from hospital.appointment_staff), 0::bigint, 'and sees nothing of others''.');
select tests.authenticate_as('ann@example.test');
select is((select count(*) from hospital.appointment_staff), 1::bigint, 'Ann sees who takes part in hers.');

-- ### the appointment moves, grows, ends, comes back
select tests.clear_authentication();
select is(tests.would_be('insert into hospital.appointment_staff (appointment_id, staff_member_id) select two, nurse from who'),
  'appointment_staff_never_double_booked', 'The owner cannot put a nurse into two places either.');
select is(tests.would_be($$insert into hospital.appointment_staff (appointment_id, patient_id, staff_member_id, job, busy, status) select two, ann, nurse, 'pharmacist', 'empty', 'cancelled' from who$$),
  'appointment_staff_never_double_booked', 'Whatever he says of time, status and job.');
select is(tests.would_be($$update hospital.appointment_staff set busy = 'empty'$$), 'appointment_staff_follows_the_appointment', 'The time is the appointment''s.');
update hospital.appointments set starts_at = starts_at + interval '1 hour' where id = (select two from who);
select is(tests.would_be('insert into hospital.appointment_staff (appointment_id, staff_member_id) select two, nurse from who'), 'accepted', 'An hour later she is free.');
insert into hospital.appointment_staff (appointment_id, staff_member_id) select two, nurse from who on conflict do nothing;
select tests.authenticate_as('desk@example.test');
select is(tests.would_be($$select hospital.reschedule_appointment(two, at + interval '15 minutes') from who$$), 'appointment_staff_never_double_booked', 'An appointment does not move into its nurse''s time.');
select is(tests.would_be($$select hospital.extend_appointment(one, at + interval '75 minutes') from who$$), 'appointment_staff_never_double_booked', 'Nor grow into it.');
select is((hospital.reschedule_appointment(two, at + interval '3 hours')).id, two, 'It moves where she is free,') from who;
select results_eq('select s.busy from hospital.appointment_staff as s, who where s.appointment_id = two', $$ select tstzrange(at + interval '3 hours', at + interval '210 minutes') from who $$, 'and she with it.');
select is((hospital.cancel_appointment(two, 'facility_closed')).status, 'cancelled', 'It is called off,') from who;
select is((select s.status from hospital.appointment_staff as s, who where s.appointment_id = two), 'cancelled', 'and her time is free.');
select is(tests.would_be('select hospital.assign_appointment_staff(two, far) from who'), 'TRNSN', 'Nobody is assigned to what was called off.');
select is((hospital.reschedule_appointment(one, at + interval '3 hours')).id, one, 'Another takes that time.') from who;
select is(tests.would_be($$update hospital.appointments set status = 'scheduled' where id = (select two from who)$$), 'appointment_staff_never_double_booked', 'The cancelled one does not come back into it.');
select is((hospital.unassign_appointment_staff(two, nurse)).status, 'cancelled', 'Without her') from who;
select is(tests.would_be($$update hospital.appointments set status = 'scheduled' where id = (select two from who)$$), 'accepted', 'it does.');
select tests.clear_authentication();

-- ### holds, and who has left
create temporary table held on commit drop as select tests.appointment(doc, bob, at + interval '5 hours', status => 'held') as id from who;
select is(tests.would_be('insert into hospital.appointment_staff (appointment_id, staff_member_id) select id, far from held, who'), 'NOTBK', 'A hold takes nobody''s time but patient''s and doctor''s, since it may run out.');
update hospital.staff_members set left_on = current_date - 1 where id = (select far from who);
select is(tests.would_be('insert into hospital.appointment_staff (appointment_id, staff_member_id) select one, far from who'), 'NOTBK', 'Who has left takes part in nothing.');

select * from finish();
rollback;

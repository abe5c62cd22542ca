-- The small changes of an appointment's life, tried by everybody.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test') as doc, tests.doctor(d.ward, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann, tests.patient('bob@example.test') as bob, tests.type_id() as type
from (select tests.department() as ward) as d;
alter table who add at timestamptz, add a bigint, add b bigint, add past bigint;
update who set at = tests.next_working_instant(doc, '10:00');
update who set a = tests.appointment(doc, ann, at), b = tests.appointment(other, bob, at),
  past = tests.appointment(doc, ann, at - interval '14 days');
grant select on who to public;
create function pg_temp.try(statement text) returns text
language plpgsql
as $$
declare
  filled text;
begin
  select replace(replace(replace($1, ':past', past::text), ':a', a::text), ':b', b::text) into filled from who;
  return tests.would_be(filled);
end;
$$;

-- ### Ann
select tests.authenticate_as('ann@example.test');
select is(
  pg_temp.try($$select hospital.update_appointment(:a, 'Fever')$$),
  'accepted', 'A patient changes why she comes.'
);
select is(
  pg_temp.try(format($$select hospital.update_appointment(:a, %L)$$, repeat('x', 1001))),
  'appointments_reason_not_too_long', 'Not in more than 1000 letters.'
);
select is(pg_temp.try('select hospital.cancel_appointment(:a)'), 'accepted', 'She cancels.');
select is(
  pg_temp.try($$select hospital.cancel_appointment(:a, 'patient_recovered')$$),
  'accepted', 'For a reason of her own.'
);
select is(
  pg_temp.try($$select hospital.cancel_appointment(:a, 'doctor_ill')$$),
  '42501', 'Not for one of the hospital''s.'
);
select is(
  pg_temp.try($$select hospital.cancel_appointment(:a, 'mood')$$),
  '42501', 'Nor for one that is not listed.'
);
select isnt(
  pg_temp.try('select hospital.cancel_appointment(:a, null)'),
  'accepted', 'Nor without one.'
);
select is(pg_temp.try('select hospital.cancel_appointment(:b)'), 'NTFND', 'Not Bob''s.');
select is(
  pg_temp.try($$select hospital.update_appointment(:b, 'x')$$),
  'NTFND', 'Nor changes his reason.'
);
select is(
  pg_temp.try('select hospital.cancel_appointment(-1)'),
  'NTFND', 'Nor what is not there, with the same answer.'
);
select is(pg_temp.try('select hospital.cancel_appointment(null)'), 'NTFND', 'Nor nothing.');
select is(
  pg_temp.try('select hospital.cancel_appointment(:past)'),
  'TRNSN', 'Nor what is over: a missed appointment is not called off afterwards.'
);
select is(pg_temp.try('select hospital.check_in(:a)'), '42501', 'She does not check herself in.');
select is(
  pg_temp.try('select hospital.mark_no_show(:a)'),
  '42501', 'Nor says that she did not come.'
);
-- Past the functions, by SQL.
select is(
  pg_temp.try($$update hospital.appointments set status = 'checked_in' where id = :a$$),
  '42501', 'She cannot by SQL either.'
);
select is(
  pg_temp.try($$update hospital.appointments set status = 'completed' where id = :a$$),
  '42501', 'Nor be done with it.'
);
select is(
  pg_temp.try($$update hospital.appointments set starts_at = starts_at + interval '1 hour' where id = :a$$),
  'accepted', 'Moving is hers, under the rules that hold on every path.'
);
select is(
  pg_temp.try($$update hospital.appointments set starts_at = starts_at + interval '1 day' * 5 where id = :a$$),
  'OUTWH', 'So not to a Sunday.'
);
select is(
  pg_temp.try($$update hospital.appointments set starts_at = starts_at - interval '14 days' where id = :a$$),
  'PASTT', 'Nor into the past.'
);
select is(
  pg_temp.try($$update hospital.appointments set override_id = null where id = :a$$),
  '42501', 'She sets no rule aside.'
);
select is(
  pg_temp.try($$update hospital.appointments set ends_at = ends_at - interval '1 minute' where id = :a$$),
  '42501', 'Nor shorten it.'
);
select is(
  pg_temp.try($$update hospital.appointments set appointment_type_id = 1 where id = :a$$),
  '42501', 'Nor make it another.'
);
select is(
  pg_temp.try($$update hospital.appointments set patient_id = patient_id where id = :a$$),
  '42501', 'Nor give it away.'
);
select is(
  pg_temp.try($$update hospital.appointments set expires_at = now() where id = :a$$),
  '42501', 'Nor make it lapse.'
);
select is(
  pg_temp.try($$delete from hospital.appointments where id = :a$$),
  '42501', 'Nor delete it.'
);
select results_eq(
  $$ with u as (update hospital.appointments set reason = 'x' where id = (select b from who) returning 1) select count(*) from u $$,
  $$ values (0::bigint) $$, 'Bob''s is not there for her.'
);
select results_eq(
  $$ with u as (update hospital.appointments set reason = 'x' where id = (select past from who) returning 1) select count(*) from u $$,
  $$ values (0::bigint) $$, 'And what is over is not hers to change.'
);

-- A cancellation is final for the patient, and whoever made it keeps his reason.
select hospital.cancel_appointment(a) from who;
select results_eq(
  'select status, cancellation_reason, cancelled_at = now() from hospital.appointments where id = (select a from who)',
  $$ values ('cancelled', 'patient_request', true) $$, 'It is cancelled, with reason and time.'
);
select is(
  pg_temp.try('select hospital.cancel_appointment(:a)'),
  'accepted', 'Cancelling twice is no error.'
);
select is(
  (hospital.cancel_appointment(a, 'patient_recovered')).cancellation_reason,
  'patient_request', 'And changes nothing.'
) from who;
select results_eq(
  $$ with u as (update hospital.appointments set status = 'scheduled' where id = (select a from who) returning 1) select count(*) from u $$,
  $$ values (0::bigint) $$, 'She cannot take it back.'
);
select results_eq(
  $$ with u as (update hospital.appointments set cancellation_reason = 'patient_recovered' where id = (select a from who) returning 1) select count(*) from u $$,
  $$ values (0::bigint) $$, 'Nor say it was for another reason.'
);

-- Past book_appointment, by SQL.
create function pg_temp.insert(columns text, expressions text) returns text
language sql
as $$
  select tests.would_be(format('insert into hospital.appointments (doctor_id, appointment_type_id, starts_at, %s) select doc, type, at + interval ''2 hours'', %s from who', $1, $2));
$$;
select is(
  pg_temp.insert('patient_id', 'ann'),
  'accepted', 'She may book for herself by SQL, in the same way.'
);
select is(pg_temp.insert('patient_id', 'bob'), '42501', 'Not for Bob.');
select is(
  pg_temp.insert('patient_id, status', 'ann, ''completed'''),
  '42501', 'Not with a status.'
);
select is(
  pg_temp.insert('patient_id, ends_at', 'ann, at + interval ''3 hours'''),
  '42501', 'Not with an end.'
);
select is(pg_temp.insert('patient_id, busy', 'ann, ''empty'''), '42501', 'Not with a span.');
select is(
  pg_temp.insert('patient_id, department_id', 'ann, ward'),
  '42501', 'Not with a department.'
);
select is(
  pg_temp.insert('patient_id, public_uuid', 'ann, gen_random_uuid()'),
  '42501', 'Not with an identifier.'
);
select is(
  pg_temp.insert('patient_id, room_id', 'ann, tests.room(ward)'),
  '42501', 'Not with a room of her choice.'
);
select is(
  tests.would_be('insert into hospital.appointments (doctor_id, appointment_type_id, patient_id, starts_at) select doc, type, ann, at - interval ''14 days'' from who'),
  'PASTT', 'Not in the past.'
);

-- ### the doctor
select tests.clear_authentication();
update hospital.appointments set status = 'scheduled' where id = (select a from who);
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.try($$select hospital.cancel_appointment(:a, 'doctor_ill')$$),
  'accepted', 'A doctor cancels his own appointments.'
);
select is(
  pg_temp.try('select hospital.mark_no_show(:past)'),
  'accepted', 'And says who did not come.'
);
select is(
  pg_temp.try($$select hospital.cancel_appointment(:b, 'doctor_ill')$$),
  'NTFND', 'Not a colleague''s.'
);
select is(pg_temp.try('select hospital.check_in(:a)'), '42501', 'Checking in is not his.');
-- Taking a cancellation back would put the patient onto the roster, whose chart he may open.
select tests.clear_authentication();
savepoint called_off;
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where id = (select a from who);
select tests.authenticate_as('doc@example.test');
select results_eq(
  $$ with u as (update hospital.appointments set status = 'scheduled' where id = (select a from who) returning 1) select count(*) from u $$,
  $$ values (0::bigint) $$, 'Nor taking back what the patient called off.'
);
select is(
  pg_temp.try('select hospital.cancel_appointment(:a)'),
  'accepted', 'Cancelling it once more is no error.'
);
select tests.clear_authentication();
select tests.authenticate_as(tests.email_of_staff(tests.staff('nurse', ward))) from who;
select results_eq(
  $$ with u as (update hospital.appointments set status = 'scheduled' where id = (select a from who) returning 1) select count(*) from u $$,
  $$ values (0::bigint) $$, 'Nor does a nurse.'
);
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select results_eq(
  $$ with u as (update hospital.appointments set status = 'scheduled' where id = (select a from who) returning 1) select count(*) from u $$,
  $$ values (1::bigint) $$, 'Reception does, when it was a mistake.'
);
rollback to called_off;
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.try($$update hospital.appointments set doctor_id = (select other from who) where id = :a$$),
  '42501', 'Nor handing over.'
);

-- ### a nurse
select tests.clear_authentication();
select tests.authenticate_as(tests.email_of_staff(tests.staff('nurse', ward))) from who;
select is(
  pg_temp.try('select hospital.check_in(:a)'),
  'accepted', 'A nurse of the department checks in.'
);
select is(pg_temp.try('select hospital.mark_no_show(:past)'), 'accepted', 'Says who did not come.');
select is(pg_temp.try('select hospital.mark_no_show(:a)'), 'TRNSN', 'Not before it should have begun.');
select is(pg_temp.try('select hospital.check_in(:b)'), 'accepted', 'Every doctor''s patients.');
select is(pg_temp.try('select hospital.cancel_appointment(:a)'), '42501', 'But does not cancel.');
select is(
  pg_temp.try($$update hospital.appointments set status = 'cancelled' where id = :a$$),
  'appointments_cancelled_has_reason', 'Not by SQL either.'
);
select tests.clear_authentication();
select tests.authenticate_as_role('nurse');
select is(
  pg_temp.try('select hospital.check_in(:a)'),
  'NTFND', 'A nurse of another department does not find it.'
);

-- ### reception
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select is(pg_temp.try('select hospital.check_in(:a)'), 'accepted', 'Reception checks in.');
select is(
  pg_temp.try($$select hospital.cancel_appointment(:b, 'facility_closed')$$),
  'accepted', 'Cancels for any reason.'
);
select is(
  pg_temp.try($$select hospital.cancel_appointment(:b, 'mood')$$),
  'appointments_cancellation_reason_fkey', 'That is listed.'
);
select is(
  pg_temp.try('select hospital.cancel_appointment(:b, null)'),
  'appointments_cancelled_has_reason', 'There must be one.'
);
select hospital.mark_no_show(past) from who;
select is(
  pg_temp.try('select hospital.check_in(:past)'),
  'appointment_status_history_transition_allowed', 'Who did not come is not checked in.'
);
select is(
  pg_temp.try('select hospital.cancel_appointment(:past)'),
  'appointment_status_history_transition_allowed', 'Nor is it cancelled.'
);
select is(
  pg_temp.try('select hospital.mark_no_show(:past)'),
  'accepted', 'Saying so twice is no error.'
);

-- ### the others
select tests.clear_authentication();
select tests.authenticate_as_role('billing');
select is(
  pg_temp.try('select hospital.cancel_appointment(:b)'),
  '42501', 'Billing does not cancel.'
);
select tests.be_anonymous();
select is(
  pg_temp.try('select hospital.cancel_appointment(:b)'),
  '42501', 'A visitor does not cancel.'
);
select * from finish();
rollback;

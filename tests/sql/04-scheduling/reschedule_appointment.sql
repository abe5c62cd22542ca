-- Moving is one change: it may overlap itself, never another, and leaves its lineage.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward,
  tests.room(d.ward) as room,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.type_id() as type
from (select tests.department() as ward) as d;
alter table who add doc bigint, add other bigint, add at timestamptz, add a bigint, add b bigint, add past bigint;
update who set doc = tests.doctor(ward, 'doc@example.test', room);
update who set other = tests.doctor(tests.department(), 'other@example.test');
update who set at = tests.next_working_instant(doc, '10:00');
update who set a = tests.appointment(doc, ann, at), b = tests.appointment(doc, bob, at + interval '1 hour'),
  past = tests.appointment(doc, ann, at - interval '14 days');
grant select on who to public;
create function pg_temp.move(what text, till text, doctor text default 'null', why text default 'null') returns text
language sql
as $$
  select tests.would_be(format('select hospital.reschedule_appointment(%s, %s, %s, %s) from who', $1, $2, $3, $4));
$$;

-- ### Ann
select tests.authenticate_as('ann@example.test');
select is(pg_temp.move('a', 'at + interval ''15 minutes'''), 'accepted', 'It may overlap itself.');
select is(pg_temp.move('a', 'at + interval ''45 minutes'''), 'SLOTT', 'Not another.');
select is(pg_temp.move('a', 'at + interval ''5 days'''), 'OUTWH', 'Nor leave the doctor''s hours.');
select is(pg_temp.move('a', 'now()'), 'PASTT', 'Nor go back.');
select is(pg_temp.move('a', 'at + interval ''2 years'''), 'TOFAR', 'Nor out of sight.');
select is(pg_temp.move('b', 'at + interval ''3 hours'''), 'NTFND', 'Bob''s is not hers to move.');
select is(pg_temp.move('past', 'at + interval ''3 hours'''), 'TRNSN', 'What is over stays where it was.');
select is(pg_temp.move('a', 'at + interval ''3 hours''', 'null', '''urgent_need'''), '42501', 'She sets no rule aside.');
select is(pg_temp.move('a', 'at', 'other'), 'accepted', 'Another doctor, same time.');
select results_eq(
  $$ select m.id, m.starts_at, m.ends_at - m.starts_at, m.doctor_id, m.department_id <> who.ward, m.room_id, m.status
    from who, hospital.reschedule_appointment(a, at + interval '3 hours', other) as m $$,
  $$ select a, at + interval '3 hours', interval '30 minutes', other, true, null::bigint, 'scheduled' from who $$,
  'It keeps its key and its length and goes to the department of the other doctor.'
);
select results_eq(
  $$ select from_doctor_id, to_doctor_id, from_starts_at, to_starts_at, moved_by is not null from hospital.appointment_moves $$,
  $$ select doc, other, at, at + interval '3 hours', true from who $$,
  'Its lineage says from where, to where and by whom.'
);
select hospital.reschedule_appointment(a, at + interval '4 hours', doc) from who;
select is(count(*), 2::bigint, 'Every step of it.') from hospital.appointment_moves;
select tests.clear_authentication();
select results_eq(
  $$ select to_status from hospital.appointment_status_history where appointment_id = (select a from who) $$,
  $$ values ('scheduled') $$, 'Moving is no change of status.'
);
select is(count(*), 0::bigint, 'The time it left is free.')
from hospital.appointments, who where doctor_id = who.doc and starts_at = who.at and status = 'scheduled';

-- ### the doctor
select tests.authenticate_as('doc@example.test');
select is(pg_temp.move('a', 'at + interval ''2 hours'''), 'accepted', 'A doctor moves his own.');
select is(pg_temp.move('a', 'at + interval ''2 hours''', 'other'), '42501', 'He does not hand them over.');
select is(pg_temp.move('a', 'at + interval ''10 hours'''), 'OUTWH', 'Outside his hours');
select is(pg_temp.move('a', 'at + interval ''10 hours''', 'null', '''doctor_agreed'''), 'accepted', 'with a reason.');
select is(pg_temp.move('a', 'at + interval ''10 hours''', 'null', '''mood'''), 'appointment_overrides_reason_fkey', 'That is on the list.');
select is(tests.would_be('select hospital.extend_appointment(a, at + interval ''4 hours 45 minutes'') from who'), 'accepted', 'He takes longer.');
select is(tests.would_be('select hospital.extend_appointment(b, at + interval ''4 hours 1 minute'') from who'), 'SLOTT', 'Not into the next.');
select is(tests.would_be('select hospital.extend_appointment(a, at + interval ''9 hours'') from who'), 'OUTWH', 'Nor into the evening.');
select is(tests.would_be('select hospital.extend_appointment(a, at) from who'), 'appointments_end_after_start', 'Nor before it begins.');

-- ### reception
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select is(pg_temp.move('b', 'at', 'other'), 'accepted', 'Reception moves anybody.');
select is(pg_temp.move('b', 'at + interval ''10 hours''', 'null', '''urgent_need'''), '42501', 'And sets no rule aside.');
select tests.clear_authentication();
select tests.authenticate_as_role('billing');
select is(pg_temp.move('b', 'at'), '42501', 'Billing moves nobody.');

-- ### by SQL: what follows from the change follows on every path.
select tests.clear_authentication();
select tests.be_owner();
update hospital.appointments set starts_at = starts_at + interval '1 hour' where id = (select b from who);
select results_eq(
  'select starts_at, ends_at, lower(busy), upper(busy) from hospital.appointments where id = (select b from who)',
  $$ select at + interval '2 hours', at + interval '2 hours 30 minutes', at + interval '2 hours', at + interval '2 hours 30 minutes' from who $$,
  'Moved, it takes as long as before.'
);
update hospital.appointments set appointment_type_id = tests.type_id('procedure') where id = (select b from who);
select results_eq(
  'select ends_at, lower(busy), upper(busy) from hospital.appointments where id = (select b from who)',
  $$ select at + interval '3 hours', at + interval '1 hour 50 minutes', at + interval '3 hours 20 minutes' from who $$,
  'Another type takes its own time and buffers.'
);
select is(
  tests.would_be($$update hospital.appointments set ends_at = (select at + interval '4 hours' from who) where id = (select b from who)$$),
  'appointments_doctor_never_double_booked', 'Lengthening counts its buffers.'
);
select is(count(*), 4::bigint, 'Moves by SQL are in the lineage too.') from hospital.appointment_moves;
select * from finish();
rollback;

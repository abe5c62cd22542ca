-- Booking, by everybody who may, and every way in which it is refused.
begin;
select no_plan();

create temporary table who on commit drop as
select
  d.ward, d.room,
  tests.doctor(d.ward, 'doc@example.test', d.room) as doc,
  tests.doctor(d.ward, 'other@example.test', d.room) as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob
from (select w.ward, tests.room(w.ward) as room from (select tests.department() as ward) as w) as d;
alter table who add type bigint, add at timestamptz;
update who set type = tests.type_id(), at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create function pg_temp.book(patient text, doctor text, at text default 'at', type text default 'type') returns text
language plpgsql
as $$
declare
  statement text;
begin
  execute format('select format(''select hospital.book_appointment(%%L, %%L, %%L, %%L)'', %s, %s, %s, %s) from who', $1, $2, $4, $3) into statement;
  return tests.constraint_of(statement);
end;
$$;

-- ### Ann
select tests.authenticate_as('ann@example.test');
select results_eq(
  $$ select a.status, a.department_id, a.room_id, a.ends_at - a.starts_at, a.reason
    from who as w cross join lateral hospital.book_appointment(w.ann, w.doc, w.type, w.at, 'Headache') as a $$,
  $$ select 'scheduled', ward, room, interval '30 minutes', 'Headache' from who $$,
  'A patient books: department, room and end follow from doctor, schedule and type.'
);
select is(pg_temp.book('ann', 'doc'), 'SLOTT', 'The same time is taken.');
select is(
  pg_temp.book('ann', 'doc', 'at + interval ''29 minutes'''),
  'SLOTT', 'So is a time that overlaps at its end.'
);
select is(
  pg_temp.book('ann', 'doc', 'at - interval ''29 minutes'''),
  'SLOTT', 'Or at its beginning.'
);
select is(pg_temp.book('ann', 'other'), 'PATBU', 'She cannot be with another doctor at that time.');
select is(
  pg_temp.book('ann', 'doc', 'at + interval ''30 minutes'''),
  'accepted', 'The next half hour is free.'
);
select is(
  pg_temp.book('bob', 'doc', 'at + interval ''2 hours'''),
  'NTFND', 'She cannot book for Bob.'
);
select is(pg_temp.book('-1', 'doc'), 'NTFND', 'Nor for nobody, with the same answer.');
select is(pg_temp.book('ann', '-1'), 'NTFND', 'Nor with a doctor who does not exist.');
select is(pg_temp.book('ann', 'doc', 'at', '-1'), 'NTFND', 'Nor for a type that does not exist.');
select is(pg_temp.book('null', 'doc'), 'NTFND', 'Nor without a patient.');
select is(pg_temp.book('ann', 'null'), 'NTFND', 'Nor without a doctor.');
select isnt(pg_temp.book('ann', 'doc', 'null'), 'accepted', 'Nor without a time.');
select is(pg_temp.book('ann', 'doc', 'now()'), 'PASTT', 'Nor now.');
select is(pg_temp.book('ann', 'doc', 'at - interval ''10 years'''), 'PASTT', 'Nor ten years ago.');
select is(
  pg_temp.book('ann', 'doc', '''-infinity''::timestamptz'),
  'PASTT', 'Nor before all time.'
);
select isnt(
  pg_temp.book('ann', 'doc', '''infinity''::timestamptz'),
  'accepted', 'Nor at the end of time.'
);
select isnt(
  pg_temp.book('ann', 'doc', '''294276-12-31 23:59Z''::timestamptz'),
  'accepted', 'Nor in the last minute the calendar has.'
);
select is(
  pg_temp.book('ann', 'doc', 'at - interval ''4 hours'''),
  'OUTWH', 'Nor before the doctor works.'
);
select is(pg_temp.book('ann', 'doc', 'at + interval ''5 days'''), 'OUTWH', 'Nor on a Sunday.');
select is(
  pg_temp.book('ann', 'doc', 'at + interval ''7 hours 45 minutes'''),
  'OUTWH', 'Nor so late that it ends after work.'
);
select is(
  pg_temp.book('ann', 'doc', 'at + interval ''3 hours''', 'tests.type_id(''walk_in'')'),
  'NOTBK', 'Nor as a walk-in.'
);
select is((tests.failure(format('select hospital.book_appointment(%s, %s, %s, %L, %L)', ann, doc, type, at + interval '4 hours', repeat('x', 1000000)))).constraint_name,
  'appointments_reason_not_too_long', 'Nor with a reason of a million letters.') from who;

-- ### Bob
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select is(pg_temp.book('bob', 'doc'), 'SLOTT', 'Bob cannot have the time of Ann.');
select is(pg_temp.book('bob', 'other'), 'ROOMT', 'Nor the room.');
select is(
  (tests.failure(format('select hospital.book_appointment(%s, %s, %s, %L)', bob, doc, type, at))).detail,
  '', 'And is not told who has it.'
) from who;
select results_eq(
  $$ select f.code, f.constraint_name, f.detail from who as w cross join lateral tests.failure(format(
    'insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) values (%s, %s, %s, %L)',
    w.bob, w.doc, w.type, w.at)) as f $$,
  $$ values ('23P01', 'appointments_doctor_never_double_booked', 'Key conflicts with existing key.') $$,
  'Nor by the detail of the error when he inserts past the function.'
);
select is(count(*), 0::bigint, 'He sees no appointment.') from hospital.appointments;

-- ### reception
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select is(
  pg_temp.book('ann', 'other', 'at + interval ''1 hour'''),
  'accepted', 'Reception books for anybody.'
);
select is(
  pg_temp.book('ann', 'doc', 'at + interval ''1 hour'''),
  'PATBU', 'And is told that the patient is busy.'
);
select is(pg_temp.book('bob', 'doc', 'at + interval ''1 hour'''), 'ROOMT', 'And that the room is.');

-- ### a doctor
select tests.clear_authentication();
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.book('ann', 'doc', 'at + interval ''3 hours'''),
  'accepted', 'A doctor books for his own patient.'
);
select is(
  pg_temp.book('bob', 'doc', 'at + interval ''4 hours'''),
  'NTFND', 'Not for one who is not on his roster.'
);
select is(
  pg_temp.book('ann', 'other', 'at + interval ''4 hours'''),
  '42501', 'Not with a colleague.'
);

-- ### an administrator
select tests.clear_authentication();
select tests.authenticate_as_role('administrator');
select is(
  pg_temp.book('bob', 'other', 'at + interval ''5 hours'''),
  'accepted', 'An administrator books for anybody.'
);

-- ### the others
create function pg_temp.may(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return pg_temp.book('bob', 'doc', 'at + interval ''6 hours''');
end;
$$;
select is(pg_temp.may(r.name), '42501', format('%s may not book.', initcap(r.name)))
from (values ('nurse'), ('pharmacist'), ('laboratory'), ('billing'), ('analyst'), ('auditor')) as r (name);
select tests.be_anonymous();
select is(
  pg_temp.book('bob', 'doc', 'at + interval ''6 hours'''),
  '42501', 'A visitor may not book for somebody there is.'
);

-- A cancelled time is free at once.
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select hospital.cancel_appointment(a.id) from hospital.appointments as a, who where a.starts_at = who.at;
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select is(pg_temp.book('bob', 'doc'), 'accepted', 'What was cancelled can be booked at once.');
select * from finish();
rollback;

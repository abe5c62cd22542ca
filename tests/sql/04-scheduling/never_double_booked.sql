-- The constraint is the guard on every path: here SQL as the owner, who passes every policy.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.room(d.ward) as room, tests.doctor(d.ward) as doc, tests.doctor(d.ward) as other,
  tests.patient() as ann, tests.patient() as bob
from (select tests.department() as ward) as d;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '10:00');
grant select on who to public;
create temporary table first on commit drop as
select tests.appointment(doc, ann, at, room_id => room) as id from who;
grant select on first to public;
select tests.be_owner();

create function pg_temp.book(doctor text, patient text, room text default 'null', at text default 'at', status text default 'scheduled') returns text
language sql
as $$
  select tests.would_be(format(
    'insert into hospital.appointments (doctor_id, patient_id, room_id, starts_at, status, appointment_type_id, expires_at, cancellation_reason)
    select %s, %s, %s, %s, %L, tests.type_id(), now() + interval ''1 minute'', ''patient_request'' from who', $1, $2, $3, $4, $5));
$$;
select is(
  pg_temp.book('doc', 'bob'),
  'appointments_doctor_never_double_booked', 'A doctor is never booked twice.'
);
select is(
  pg_temp.book('other', 'ann'),
  'appointments_patient_never_double_booked', 'A patient is never booked twice.'
);
select is(
  pg_temp.book('other', 'bob', 'room'),
  'appointments_room_never_double_booked', 'A room is never booked twice.'
);
select is(pg_temp.book('other', 'bob'), 'accepted', 'Others at the same time are welcome.');
select is(
  pg_temp.book('doc', 'bob', 'null', 'at + interval ''29 minutes 59.999 seconds'''),
  'appointments_doctor_never_double_booked', 'A millisecond counts.'
);
select is(
  pg_temp.book('doc', 'bob', 'null', 'at + interval ''30 minutes'''),
  'accepted', 'The end of one is the beginning of the next.'
);
select is(pg_temp.book('doc', 'bob', status => s.code),
  case when s.is_active then 'appointments_doctor_never_double_booked' else 'accepted' end,
  format('A second appointment that is %s is %s.', s.code, case when s.is_active then 'refused' else 'history' end))
from hospital.appointment_statuses as s;
select is(tests.would_be($$
    insert into hospital.appointments (doctor_id, patient_id, appointment_type_id, starts_at)
    select other, unnest(array[ann, bob]), tests.type_id(), at + interval '1 hour' from who
  $$), 'appointments_doctor_never_double_booked', 'Not within one statement either.');
select is(tests.would_be($$
    insert into hospital.appointments (doctor_id, patient_id, appointment_type_id, starts_at)
    select doc, bob, tests.type_id('procedure'), at + interval '30 minutes' from who
  $$), 'appointments_doctor_never_double_booked', 'Buffers count.');

-- On every change.
create temporary table second on commit drop as
select tests.appointment(doc, bob, at + interval '1 hour', room_id => room) as id from who;
grant select on second to public;
select is(
  tests.would_be($$update hospital.appointments set starts_at = starts_at - interval '31 minutes' where id = (select id from second)$$),
  'appointments_doctor_never_double_booked', 'Moving does not get around it.'
);
select is(
  tests.would_be($$update hospital.appointments set starts_at = at, ends_at = at + interval '30 minutes', doctor_id = other from who where id = (select id from second)$$),
  'accepted', 'Another doctor comes with a room of his own, or none.'
);
select is(
  tests.would_be($$update hospital.appointments set starts_at = at, ends_at = at + interval '30 minutes', room_id = first_room.id from who, (select tests.room(ward) as id from who) as first_room where hospital.appointments.id = (select id from second)$$),
  'appointments_doctor_never_double_booked', 'Changing the room does not get around the doctor.'
);
select is(
  tests.would_be($$update hospital.appointments set starts_at = at, ends_at = at + interval '30 minutes', doctor_id = other, room_id = null, patient_id = ann from who where id = (select id from second)$$),
  'appointments_patient_never_double_booked', 'Nor changing the room.'
);
update hospital.appointments set busy = 'empty';
select ok(bool_and(not isempty(busy)), 'An empty span is derived anew.') from hospital.appointments;

-- Coming back.
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where id = (select id from first);
select is(pg_temp.book('doc', 'bob'), 'accepted', 'A cancelled time is free.');
insert into hospital.appointments (doctor_id, patient_id, appointment_type_id, starts_at) select doc, bob, tests.type_id(), at from who;
select is(
  tests.would_be($$update hospital.appointments set status = 'scheduled' where id = (select id from first)$$),
  'appointments_doctor_never_double_booked',
  'What was cancelled cannot come back into a taken time.'
);
select results_eq(
  'select cancelled_at is not null, cancellation_reason from hospital.appointments where id = (select id from first)',
  $$ values (true, 'patient_request') $$, 'It stays cancelled, with time and reason.'
);
select * from finish();
rollback;

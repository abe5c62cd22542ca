-- What is offered books, and what is not offered does not: finder and guard read one definition.
begin;
select no_plan();

create temporary table who on commit drop as
select d.ward, tests.room(d.ward) as room, tests.patient() as ann, tests.patient() as bob from (select tests.department() as ward) as d;
alter table who add doc bigint, add other bigint, add day timestamptz;
update who set doc = tests.doctor(ward, 'doc@example.test', room), other = tests.doctor(ward, 'other@example.test', room);
-- Midnight on the day that is looked at.
update who set day = tests.next_working_instant(doc, '00:00');
grant select on who to public;
-- A day with all that can be in the way: an appointment, a colleague in the room, time off, and a
-- shift over midnight.
select tests.appointment(doc, ann, day + interval '9 hours 5 minutes', room_id => room) from who;
select tests.appointment(other, bob, day + interval '11 hours', room_id => room) from who;
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select doc, day + interval '14 hours', day + interval '15 hours 10 minutes', 'training' from who;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
select doc, 2, '22:00', '03:00' from who;

create function pg_temp.booked(doctor bigint, patient bigint, type bigint, at timestamptz) returns text
language sql
as $$ select tests.would_be(format('select hospital.book_appointment(%s, %s, %s, %L)', $2, $1, $3, $4)); $$;
create temporary table patient on commit drop as select tests.patient() as id;
grant select on patient to public;

-- ### reception
select tests.authenticate_as_role('reception');
create temporary view offered as
select t.code, t.id as type, s.starts_at, s.ends_at, s.room_id
from who as w
cross join unnest(array['consultation', 'follow_up', 'new_patient', 'procedure', 'telehealth']) as k (code)
join hospital.appointment_types as t
  on t.code = k.code
cross join lateral hospital.free_slots(w.doc, null, t.id, w.day, w.day + interval '28 hours') as s;
select is(
  array(select o.code || ' ' || o.starts_at from offered as o, who as w, patient as p
    where pg_temp.booked(w.doc, p.id, o.type, o.starts_at) <> 'accepted'),
  '{}', 'Every slot that is offered books.'
);
select is(
  array(
    select k.code || ' ' || at
    from who as w
    cross join patient as p
    cross join unnest(array['consultation', 'procedure']) as k (code)
    join hospital.appointment_types as t
      on t.code = k.code
    cross join generate_series(w.day, w.day + interval '27 hours 45 minutes', interval '15 minutes') as at
    where not exists (select from offered as o where o.type = t.id and o.starts_at = at)
      and pg_temp.booked(w.doc, p.id, t.id, at) = 'accepted'
  ),
  '{}', 'No quarter of an hour that is not offered does.'
);
select results_eq(
  $$ select (o.starts_at at time zone 'America/New_York')::time from offered as o where code = 'consultation' order by o.starts_at $$,
  $$ values (time '08:00'), ('08:15'), ('08:30'), ('09:45'), ('10:00'), ('10:15'), ('10:30'), ('11:30'), ('11:45'),
    ('12:00'), ('12:15'), ('12:30'), ('12:45'), ('13:00'), ('13:15'), ('13:30'), ('15:15'), ('15:30'),
    ('15:45'), ('16:00'), ('16:15'), ('16:30'), ('16:45'), ('17:00'), ('17:15'), ('17:30'),
    ('22:00'), ('22:15'), ('22:30'), ('22:45'), ('23:00'), ('23:15'), ('23:30'), ('23:45'), ('00:00'), ('00:15'),
    ('00:30'), ('00:45'), ('01:00'), ('01:15'), ('01:30'), ('01:45'), ('02:00'), ('02:15'), ('02:30') $$,
  'The consultations of the day are those one would find by hand.'
);
select ok(bool_and(o.ends_at - o.starts_at = make_interval(mins => t.duration_minutes)), 'Each lasts as long as its type.')
from offered as o join hospital.appointment_types as t on t.id = o.type;
select ok(bool_and((o.room_id is not null) = (o.starts_at < w.day + interval '20 hours')), 'Each names the room of its shift.')
from offered as o, who as w;

-- Booking takes away exactly what overlaps.
select hospital.book_appointment(p.id, w.doc, tests.type_id(), w.day + interval '12 hours') from who as w, patient as p;
select results_eq(
  $$ select (o.starts_at at time zone 'America/New_York')::time from offered as o, who as w where code = 'consultation'
    and o.starts_at between w.day + interval '11 hours 30 minutes' and w.day + interval '12 hours 30 minutes' order by 1 $$,
  $$ values (time '11:30'), ('12:30') $$, 'What was just booked is offered no more.'
);
select hospital.cancel_appointment(a.id) from hospital.appointments as a, patient as p where a.patient_id = p.id;
select is(count(*), 1::bigint, 'What was cancelled is offered again.')
from offered as o, who as w where code = 'consultation' and o.starts_at = w.day + interval '12 hours';

-- The connection's zone changes nothing.
create temporary table in_utc as select code, starts_at from offered;
grant select on in_utc to public;
create function pg_temp.differences(zone text) returns bigint
language plpgsql
as $$
begin
  perform set_config('timezone', $1, true);
  return (select count(*) from ((table in_utc except select code, starts_at from offered) union all (select code, starts_at from offered except table in_utc)) as d);
end;
$$;
select is(pg_temp.differences(z), 0::bigint, format('Asked in %s it is the same.', z))
from unnest(array['America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) as z;
set local timezone = 'UTC';

-- Whom and when one may ask.
select is(
  (select count(distinct s.doctor_id) from who as w, hospital.free_slots(department_id => w.ward, starts_from => w.day, starts_before => w.day + interval '1 day') as s),
  2::bigint, 'A department offers all its doctors.'
);
select is_empty(
  $$ select from who as w, hospital.free_slots(w.doc, -1) $$,
  'A doctor of another department is not found there.'
);
select throws_ok('select hospital.free_slots()', 'MISSA', null, 'Somebody must be named.');
select throws_ok('select hospital.free_slots(1, null, -1)', 'NTFND', null, 'The type must exist.');
select throws_ok(
  $$ select hospital.free_slots(1, null, tests.type_id('walk_in')) $$,
  'NTFND', null, 'And be bookable.'
);
select throws_ok(
  $$ select hospital.free_slots(1, starts_from => now(), starts_before => now() + interval '63 days') $$,
  'SPANL', null, 'The span is 62 days at most.'
);
select throws_ok(
  $$ select hospital.free_slots(1, starts_before => 'infinity') $$,
  'SPANL', null, 'And has an end.'
);
select lives_ok(
  format('select hospital.free_slots(%s, starts_from => now(), starts_before => now() + interval ''62 days'')', doc),
  '62 days may be asked for.'
) from who;
select is_empty(
  $$ select from who as w, hospital.free_slots(w.doc, starts_from => '2020-01-01', starts_before => '2020-02-01') $$,
  'The past offers nothing.'
);
select is_empty(
  $$ select from who as w, hospital.free_slots(w.doc, starts_from => '-infinity', starts_before => '-infinity') $$,
  'Nor does what was before it.'
);
select is_empty(
  $$ select from who as w, hospital.free_slots(w.doc, starts_from => 'infinity') $$,
  'Nor the end of time.'
);
select is_empty(
  $$ select from who as w, hospital.free_slots(w.doc, starts_from => w.day + interval '1 day', starts_before => w.day) $$,
  'Nor a span that ends before it begins.'
);
select is_empty('select hospital.free_slots(-1)', 'Nor a doctor who does not exist.');
select ok(bool_and(s.starts_at >= now() and s.starts_at < now() + interval '7 days') and count(*) > 100, 'Without a wish it is the next seven days.')
from who as w, hospital.free_slots(w.doc) as s;

-- ### a visitor
select tests.be_anonymous();
select isnt_empty(
  'select from who as w, hospital.free_slots(w.doc)',
  'A visitor may look for times.'
);
-- An inactive doctor offers none.
select tests.clear_authentication();
update hospital.doctors set deactivated_at = now();
select is_empty(
  'select from who as w, hospital.free_slots(department_id => w.ward)',
  'An inactive doctor offers none.'
);
select * from finish();
rollback;

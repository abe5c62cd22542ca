-- The finder and the rules of booking: what it offers is what an insert by anybody is allowed, quarter
-- by quarter, when clocks change, rooms change, days are full, and at both ends of the time to come.
begin;
select no_plan();
set local timezone = 'UTC';

create temporary table patient as select tests.patient() as id;
create function pg_temp.accepted(doctor bigint, at timestamptz, type text default 'consultation') returns boolean
language sql
as $$
  select tests.would_be(
    format(
      'insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) values (%s, %s, %s, %L)',
      p.id, $1, tests.type_id($3), $2
    )
  ) = 'accepted'
  from patient as p;
$$;
-- Quarters on which finder and guard do not agree.
create function pg_temp.disputed(doctor bigint, since timestamptz, until timestamptz, type text default 'consultation') returns text[]
language sql
as $$
  select array(
    select case when s.starts_at is null then 'not offered ' else 'offered ' end || at
    from generate_series(since, until - interval '15 minutes', interval '15 minutes') as at
    left join hospital.free_slots(doctor, null, tests.type_id(type), since, until) as s
      on s.starts_at = at
    where pg_temp.accepted(doctor, at, type) <> (s.starts_at is not null)
  );
$$;

-- The next change of each kind, from three days ahead.
update hospital.appointment_types set horizon_days = 400;
create temporary table change as
select
  z as zone,
  tests.doctor(tests.department(tests.facility(z)), schedule => false) as doc,
  k.is_back,
  (
    select min(h)
    from generate_series(date_trunc('hour', now()) + interval '72 hours', now() + interval '9400 hours', interval '30 minutes') as h
    where case when k.is_back
      then (h at time zone z) < ((h - interval '30 minutes') at time zone z) + interval '30 minutes'
      else (h at time zone z) > ((h - interval '30 minutes') at time zone z) + interval '30 minutes'
    end
  ) as at
from unnest(array['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Australia/Sydney']) as z
cross join (values (true), (false)) as k (is_back);
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
select c.doc, w, '00:00', '00:00' from change as c, generate_series(1, 7) as w;
create function pg_temp.around() returns table (zone text, is_back boolean, starts_at timestamptz)
language sql
as $$
  select c.zone, c.is_back, s.starts_at
  from change as c
  cross join lateral hospital.free_slots(c.doc, starts_from => c.at - interval '3 hours', starts_before => c.at + interval '3 hours') as s;
$$;
select is(
  pg_temp.disputed(c.doc, c.at - interval '3 hours', c.at + interval '3 hours'), '{}',
  format('Around the clocks set %s in %s, what is offered is what is accepted.', case when c.is_back then 'back' else 'forward' end, c.zone)
)
from change as c;
select is(
  (select count(*) from pg_temp.around() as a where (a.zone, a.is_back) = (c.zone, c.is_back)),
  case when c.is_back then case c.zone when 'Australia/Lord_Howe' then 22 else 20 end else 24 end::bigint,
  format('Six hours offer as many quarters as there are times on the clock in %s.', c.zone)
)
from change as c;
select is(
  (select count(distinct a.starts_at at time zone a.zone) from pg_temp.around() as a where a.zone = z),
  (select count(*) from pg_temp.around() as a where a.zone = z),
  format('No time of the clock in %s is offered twice.', z)
)
from unnest(array['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Australia/Sydney']) as z;
select is(
  array(
    select a.zone || ' ' || a.starts_at
    from pg_temp.around() as a
    where extract(minute from a.starts_at at time zone a.zone) not in (0, 15, 30, 45)
  ),
  '{}', 'Every slot starts at a quarter of the local hour.'
);
create temporary table in_utc as select * from pg_temp.around();
create function pg_temp.differences(zone text) returns bigint
language plpgsql
as $$
begin
  perform set_config('timezone', $1, true);
  return (select count(*) from ((table in_utc except select * from pg_temp.around()) union all (select * from pg_temp.around() except table in_utc)) as d);
end;
$$;
select is(pg_temp.differences(z), 0::bigint, format('Asked in %s it is the same.', z))
from unnest(array['Asia/Tokyo', 'America/St_Johns']) as z;
set local timezone = 'UTC';

-- A doctor who changes rooms at noon; each room is used by a colleague for a while.
create temporary table one as
select d.ward, tests.room(d.ward) as room, tests.room(d.ward) as lab,
  tests.doctor(d.ward, schedule => false) as doc, tests.doctor(d.ward) as other
from (select tests.department() as ward) as d;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, room_id)
select doc, v.* from one, lateral (values (2, time '09:00', time '12:00', room), (2, '12:00', '16:00', lab)) as v;
alter table one add day timestamptz;
update one set day = tests.next_working_instant(doc, '00:00');
select tests.appointment(other, starts_at => day + interval '10 hours', room_id => lab) from one;
select tests.appointment(other, starts_at => day + interval '12 hours', room_id => room) from one;
select tests.appointment(other, starts_at => day + interval '14 hours', room_id => lab) from one;
create function pg_temp.offered(type text default 'consultation') returns setof text
language sql
as $$
  select to_char(s.starts_at at time zone 'America/New_York', 'HH24:MI ') || case s.room_id when o.room then 'room' when o.lab then 'lab' else 'none' end
  from one as o
  cross join lateral hospital.free_slots(o.doc, null, tests.type_id(type), o.day, o.day + interval '1 day') as s;
$$;
select is(
  array(select pg_temp.offered()),
  array[
    '09:00 room', '09:15 room', '09:30 room', '09:45 room', '10:00 room', '10:15 room', '10:30 room', '10:45 room',
    '11:00 room', '11:15 room', '11:30 room', '12:00 lab', '12:15 lab', '12:30 lab', '12:45 lab', '13:00 lab',
    '13:15 lab', '13:30 lab', '14:30 lab', '14:45 lab', '15:00 lab', '15:15 lab', '15:30 lab'
  ],
  'A room is asked for as long as the appointment lasts that starts in it.'
);
select is(pg_temp.disputed(doc, day + interval '8 hours', day + interval '17 hours', t), '{}', format('A %s is accepted exactly where it is offered.', t))
from one, unnest(array['consultation', 'procedure', 'new_patient']) as t;
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) select doc, day + interval '16 hours', day + interval '17 hours' from one;
select is(
  array(select s from pg_temp.offered() as s where s >= '15:30'),
  array['15:30 lab', '15:45 lab', '16:00 none', '16:15 none', '16:30 none'], 'An extra session is offered, and one may run into it.'
);

-- Days that are full.
create function pg_temp.fill(at interval, type text, status text) returns bigint
language sql
as $$ select tests.appointment(o.doc, starts_at => o.day + at, type => type, status => status) from one as o; $$;
savepoint before;
update hospital.doctors set daily_limit = 2 where id = (select doc from one);
select pg_temp.fill('9 hours', 'consultation', 'scheduled'), pg_temp.fill('10 hours', 'follow_up', 'cancelled');
select isnt_empty('select pg_temp.offered()', 'One of two is not a full day, and what was cancelled does not count.');
select pg_temp.fill('11 hours', 'follow_up', 'held');
select is_empty('select pg_temp.offered()', 'A held time counts, and the day is full.');
select is_empty($$ select pg_temp.offered('follow_up') $$, 'For every type.');
select isnt_empty(
  $$ select from one as o, hospital.free_slots(o.doc, starts_from => o.day + interval '7 days', starts_before => o.day + interval '8 days') $$,
  'The same day of the next week is not.'
);
select isnt_empty(
  $$ select from one as o, hospital.free_slots(o.other, starts_from => o.day, starts_before => o.day + interval '1 day') $$, 'Nor is a colleague''s.'
);
select is(pg_temp.disputed(doc, day + interval '8 hours', day + interval '17 hours'), '{}', 'Nothing is accepted on it.') from one;
rollback to before;
update hospital.appointment_types set daily_limit = 1 where code = 'procedure';
select pg_temp.fill('9 hours 15 minutes', 'procedure', 'scheduled');
select is_empty($$ select pg_temp.offered('procedure') $$, 'A type may have a limit of its own,');
select isnt_empty('select pg_temp.offered()', 'which concerns no other.');
rollback to before;

-- Both ends of the time to come.
update hospital.appointment_types set notice_minutes = extract(epoch from o.day + interval '11 hours' - now()) / 60 - 5 from one as o;
select is((select min(s) from pg_temp.offered() as s), '11:00 room', 'What begins before the notice ends is not offered.');
rollback to before;
update hospital.appointment_types set horizon_days = 1;
select is_empty('select pg_temp.offered()', 'Nor is what lies beyond the horizon.');
select is_empty(
  $$ select from one as o, hospital.free_slots(o.doc, starts_from => '200000-01-01 00:00Z', starts_before => '200000-01-02 00:00Z') $$, 'However far.'
);
rollback to before;

-- The next.
create function pg_temp.next(wait interval default '0') returns text
language sql
as $$
  select to_char(s.starts_at at time zone 'America/New_York', 'Dy HH24:MI ') || case s.room_id when o.room then 'room' when o.lab then 'lab' else 'none' end
  from one as o
  cross join lateral hospital.next_free_slot(o.doc, starts_from => o.day + wait) as s;
$$;
select is(pg_temp.next(), 'Tue 09:00 room', 'The next free slot is the first of the day.');
select is(pg_temp.next('16 hours 40 minutes'), 'Tue 09:00 room', 'Or of the next week.');
select is(
  (select hospital.next_free_slot(department_id => ward, starts_from => day + interval '17 hours') = s from one, hospital.free_slots(department_id => ward, starts_from => day + interval '17 hours') as s limit 1),
  true, 'In a department it is that of the first doctor.'
);
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) select doc, day + interval '17 hours', day + interval '100 days', 'vacation' from one;
select is(
  (select s.starts_at > o.day + interval '100 days' and s.starts_at < o.day + interval '109 days' from one as o, hospital.next_free_slot(o.doc, starts_from => o.day + interval '17 hours') as s),
  true, 'After a long absence it is found, too.'
);
update hospital.appointment_types set horizon_days = 90;
select is(pg_temp.next('17 hours'), null, 'But none beyond the horizon.');
select is((select hospital.next_free_slot(-1)), null, 'Nor with a doctor who does not exist.');
select is((select hospital.next_free_slot(doc, starts_from => 'infinity') from one), null, 'Nor at the end of time.');
select throws_ok('select hospital.next_free_slot()', 'MISSA', null, 'Somebody must be named.');
select throws_ok('select hospital.next_free_slot(1, null, -1)', 'NTFND', null, 'The type must exist.');
select * from finish();
rollback;

-- Weekly hours less absences, plus extra sessions, and the room of every stretch.
begin;
select no_plan();

create temporary table one as
select d.ward, tests.room(d.ward) as room, tests.room(d.ward) as lab, tests.doctor(d.ward, schedule => false) as doc
from (select tests.department(tests.facility('UTC')) as ward) as d;
create function pg_temp.shifts(span tstzrange default '[2027-06-01 00:00Z,2027-06-03 00:00Z)') returns setof text
language sql
as $$
  select format(
    '%s-%s %s', to_char(s.starts_at, 'DD HH24:MI'), to_char(s.ends_at, 'DD HH24:MI'),
    case s.room_id when o.room then 'room' when o.lab then 'lab' else 'none' end
  )
  from one as o
  cross join lateral hospital_private.working_shifts(array[o.doc], span) as s
  order by s.starts_at;
$$;
create function pg_temp.room_at(at timestamptz) returns text
language sql
as $$
  select case hospital_private.scheduled_room_id(o.doc, at) when o.room then 'room' when o.lab then 'lab' else 'none' end
  from one as o;
$$;
set local timezone = 'UTC';
-- Tuesday is the first of June.
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, room_id)
select doc, v.* from one, lateral (values
  (2, time '08:00', time '12:00', room), (2, '12:00', '16:00', lab), (2, '22:00', '02:00', null), (3, '10:00', '11:00', room)
) as v;
select results_eq(
  'select pg_temp.shifts()',
  array['01 08:00-01 12:00 room', '01 12:00-01 16:00 lab', '01 22:00-02 02:00 none', '02 10:00-02 11:00 room'],
  'Every shift names its room, also over midnight.'
);
select results_eq(
  $$ select pg_temp.shifts('[2027-06-02 01:00Z,2027-06-02 10:30Z)') $$,
  array['02 01:00-02 02:00 none', '02 10:00-02 10:30 room'], 'What is answered lies in the span.'
);
select is(
  (select hospital_private.working_time(doc, '[2027-06-01 00:00Z,2027-06-01 20:00Z)') from one),
  '{[2027-06-01 08:00Z,2027-06-01 16:00Z)}', 'Rooms do not divide the working time.'
);
select results_eq(
  $$ select pg_temp.room_at(t) from unnest(array['2027-06-01 08:00Z', '2027-06-01 11:59:59.999999Z', '2027-06-01 12:00Z', '2027-06-01 16:00Z', '2027-06-02 01:00Z', 'infinity']::timestamptz[]) as t $$,
  array['room', 'room', 'lab', 'none', 'none', 'none'], 'The room is that of the instant, its start included and its end not.'
);

-- An absence, with an extra session inside it and over its edge.
create function pg_temp.away() returns void language sql as $$
  insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
  select doc, '2027-06-01 10:00Z', '2027-06-02 10:30Z', 'illness' from one;
$$;
create function pg_temp.extra(room bigint) returns void language sql as $$
  insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
  select doc, v.starts::timestamptz, v.ends::timestamptz, $1
  from one, (values ('2027-06-01 09:00Z', '2027-06-01 09:30Z'), ('2027-06-01 13:00Z', '2027-06-01 17:00Z'), ('2027-06-02 10:20Z', '2027-06-02 10:45Z')) as v (starts, ends);
$$;
create temporary table expected as
select array[
  '01 08:00-01 09:00 room', '01 09:00-01 09:30 lab', '01 09:30-01 10:00 room', '01 13:00-01 17:00 lab',
  '02 10:20-02 10:45 lab', '02 10:45-02 11:00 room'
] as shifts;
savepoint before;
select pg_temp.extra(lab) from one;
select throws_ok('select pg_temp.away()', 'SESSN', null, 'No absence is entered over an extra session.');
rollback to before;
select pg_temp.away(), pg_temp.extra(lab) from one;
select is(array(select pg_temp.shifts()), shifts, 'An extra session stands inside an absence entered before, and its room comes first.') from expected;
select is(
  array(select pg_temp.room_at(t) from unnest(array['2027-06-01 09:15Z', '2027-06-01 10:00Z', '2027-06-01 16:30Z', '2027-06-02 10:50Z']::timestamptz[]) as t),
  array['lab', 'none', 'lab', 'room'], 'The room of an instant follows.'
);
select is(
  (select hospital_private.working_time(doc, '[2027-06-01 00:00Z,2027-06-03 00:00Z)') from one),
  '{[2027-06-01 08:00Z,2027-06-01 10:00Z),[2027-06-01 13:00Z,2027-06-01 17:00Z),[2027-06-02 10:20Z,2027-06-02 11:00Z)}',
  'And so does the working time.'
);
rollback to before;
select pg_temp.extra(null);
select is(
  array(select s from pg_temp.shifts() as s where s like '%none%'),
  array['01 09:00-01 09:30 none', '01 13:00-01 17:00 none', '01 22:00-02 02:00 none', '02 10:20-02 10:45 none'],
  'An extra session without a room has none, whatever the weekly hours say.'
);
rollback to before;
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) select doc, '2027-06-05 10:00Z', '2027-06-06 03:00Z' from one;
select is(
  array(select pg_temp.shifts('[2027-06-05 00:00Z,2027-06-07 00:00Z)')), '{05 10:00-06 03:00 none}',
  'A day without weekly hours can have one, over midnight.'
);
rollback to before;

-- One rule ends and another begins while the night shift still runs.
delete from hospital.doctor_schedules;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, effective, room_id)
select doc, v.* from one, lateral (values
  (2, time '20:00', time '06:00', daterange(null, '2027-06-02'), room), (3, '04:00', '08:00', daterange('2027-06-02', null), lab)
) as v;
select is(
  array(select pg_temp.shifts()), '{"01 20:00-02 06:00 room","02 06:00-02 08:00 lab"}',
  'The shift that runs keeps its time and room.'
);
select is(array(select pg_temp.shifts('[2027-06-08 00:00Z,2027-06-10 00:00Z)')), '{"09 04:00-09 08:00 lab"}', 'A rule holds on the dates it is in force.');
select is(
  array(select pg_temp.shifts('[2027-06-02 05:00Z,2027-06-02 07:00Z)')), '{"02 05:00-02 06:00 room","02 06:00-02 07:00 lab"}',
  'Asked for a part it is the same.'
);

-- Who is not there does not work.
select is_empty(
  $$ select hospital_private.working_shifts('{-1}', '[2027-06-01 00:00Z,2027-06-03 00:00Z)') $$, 'Nobody works never.'
);
select is_empty(
  $$ select hospital_private.working_shifts(null, '[2027-06-01 00:00Z,2027-06-03 00:00Z)') $$, 'Nor does nobody at all.'
);
select is_empty(
  format('select hospital_private.working_shifts(array[%s], %L)', doc, s), format('A span like %s has no working time.', s)
)
from one, unnest(array['empty', '(,)', '[2027-06-01 00:00Z,)', '(,2027-06-01 00:00Z]', '[-infinity,infinity]', '[200000-01-01 00:00Z,200000-02-01 00:00Z)', '[4000-01-01 00:00Z BC,3999-01-01 00:00Z BC)']) as s;
update hospital.doctors set deactivated_at = now();
select is_empty('select pg_temp.shifts()', 'A doctor who is not active does not work.');
select * from finish();
rollback;

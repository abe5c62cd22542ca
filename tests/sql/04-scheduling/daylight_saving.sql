-- Shifts on the days on which clocks change, in zones north and south, by an hour, by half an hour and
-- not at all: what meets on the clock meets in time, and nine o'clock stays nine o'clock.
begin;
select no_plan();

create temporary table place (zone text primary key, doc bigint);
insert into place
select z, tests.doctor(tests.department(tests.facility(z)), schedule => false)
from unnest(array['America/New_York', 'Europe/London', 'Australia/Sydney', 'Australia/Lord_Howe', 'Asia/Tokyo']) as z;

-- The working time over four days of a doctor who has these shifts, each on its weekday.
create function pg_temp.worked(zone text, day date, shifts text) returns tstzmultirange
language plpgsql
as $$
declare
  doctor bigint := (select p.doc from place as p where p.zone = worked.zone);
begin
  delete from hospital.doctor_schedules as s where s.doctor_id = doctor;
  insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
  select
    doctor,
    extract(isodow from day + split_part(s, ' ', 1)::integer),
    split_part(split_part(s, ' ', 2), '-', 1)::time,
    split_part(split_part(s, ' ', 2), '-', 2)::time
  from unnest(string_to_array(worked.shifts, ',')) as s;
  return hospital_private.working_time(
    doctor,
    tstzrange((day - 2)::timestamp at time zone worked.zone, (day + 3)::timestamp at time zone worked.zone)
  );
end;
$$;

create temporary view every_case as
select
  format('%s, %s: %s', c.zone, c.day, c.shifts) as what,
  pg_temp.worked(c.zone, c.day, c.shifts)::text as worked,
  c.expected::tstzmultirange::text as expected
from (
  values
    -- The hour from 2 to 3 is missing. A boundary in it is the jump.
    ('America/New_York', date '2027-03-14', '0 08:00-18:00', '{[2027-03-14 12:00Z,2027-03-14 22:00Z)}'),
    ('America/New_York', '2027-03-14', '-1 22:00-06:00', '{[2027-03-14 03:00Z,2027-03-14 10:00Z)}'),
    ('America/New_York', '2027-03-14', '-1 22:00-02:30', '{[2027-03-14 03:00Z,2027-03-14 07:00Z)}'),
    ('America/New_York', '2027-03-14', '0 02:30-06:00', '{[2027-03-14 07:00Z,2027-03-14 10:00Z)}'),
    ('America/New_York', '2027-03-14', '0 02:00-03:00', '{}'),
    ('America/New_York', '2027-03-14', '0 02:15-02:45', '{}'),
    ('America/New_York', '2027-03-14', '0 01:00-02:15,0 02:45-04:00', '{[2027-03-14 06:00Z,2027-03-14 08:00Z)}'),
    -- The hour from 1 to 2 comes twice. A boundary in it is the first.
    ('America/New_York', '2027-11-07', '0 08:00-18:00', '{[2027-11-07 13:00Z,2027-11-07 23:00Z)}'),
    ('America/New_York', '2027-11-07', '-1 22:00-06:00', '{[2027-11-07 02:00Z,2027-11-07 11:00Z)}'),
    ('America/New_York', '2027-11-07', '-1 20:00-01:30', '{[2027-11-07 00:00Z,2027-11-07 05:30Z)}'),
    ('America/New_York', '2027-11-07', '0 01:30-05:00', '{[2027-11-07 05:30Z,2027-11-07 10:00Z)}'),
    ('America/New_York', '2027-11-07', '0 01:15-01:45', '{[2027-11-07 05:15Z,2027-11-07 05:45Z)}'),
    ('America/New_York', '2027-11-07', '0 00:00-01:00,0 02:00-03:00', '{[2027-11-07 04:00Z,2027-11-07 05:00Z),[2027-11-07 07:00Z,2027-11-07 08:00Z)}'),
    ('Europe/London', '2027-03-28', '-1 22:00-06:00', '{[2027-03-27 22:00Z,2027-03-28 05:00Z)}'),
    ('Europe/London', '2027-03-28', '0 01:00-02:00', '{}'),
    ('Europe/London', '2027-10-31', '-1 22:00-06:00', '{[2027-10-30 21:00Z,2027-10-31 06:00Z)}'),
    ('Europe/London', '2027-10-31', '0 01:30-05:00', '{[2027-10-31 00:30Z,2027-10-31 05:00Z)}'),
    ('Australia/Sydney', '2027-10-03', '-1 22:00-06:00', '{[2027-10-02 12:00Z,2027-10-02 19:00Z)}'),
    ('Australia/Sydney', '2027-10-03', '-1 22:00-02:30', '{[2027-10-02 12:00Z,2027-10-02 16:00Z)}'),
    ('Australia/Sydney', '2027-04-04', '-1 22:00-06:00', '{[2027-04-03 11:00Z,2027-04-03 20:00Z)}'),
    ('Australia/Sydney', '2027-04-04', '0 02:30-06:00', '{[2027-04-03 15:30Z,2027-04-03 20:00Z)}'),
    ('Australia/Lord_Howe', '2027-10-03', '-1 22:00-06:00', '{[2027-10-02 11:30Z,2027-10-02 19:00Z)}'),
    ('Australia/Lord_Howe', '2027-10-03', '0 02:00-02:30', '{}'),
    ('Australia/Lord_Howe', '2027-10-03', '0 02:15-04:00', '{[2027-10-02 15:30Z,2027-10-02 17:00Z)}'),
    ('Australia/Lord_Howe', '2027-04-04', '-1 22:00-06:00', '{[2027-04-03 11:00Z,2027-04-03 19:30Z)}'),
    ('Australia/Lord_Howe', '2027-04-04', '0 01:45-04:00', '{[2027-04-03 14:45Z,2027-04-03 17:30Z)}'),
    ('Asia/Tokyo', '2027-03-14', '-1 22:00-06:00', '{[2027-03-13 13:00Z,2027-03-13 21:00Z)}'),
    ('Asia/Tokyo', '2027-03-14', '0 02:15-02:45', '{[2027-03-13 17:15Z,2027-03-13 17:45Z)}')
) as c (zone, day, shifts, expected);

-- Two shifts that meet at any quarter of the changing night are as one: no gap, no overlap.
create temporary view tiled as
select
  c.zone,
  c.day,
  meets.at,
  pg_temp.worked(c.zone, c.day, format('-1 20:00-%s,0 %1$s-06:00', meets.at::time)) as divided,
  pg_temp.worked(c.zone, c.day, '-1 20:00-06:00') as whole
from (
  values
    ('America/New_York', date '2027-03-14'), ('America/New_York', '2027-11-07'), ('Europe/London', '2027-03-28'),
    ('Europe/London', '2027-10-31'), ('Australia/Sydney', '2027-10-03'), ('Australia/Sydney', '2027-04-04'),
    ('Australia/Lord_Howe', '2027-10-03'), ('Australia/Lord_Howe', '2027-04-04'), ('Asia/Tokyo', '2027-03-14')
) as c (zone, day)
cross join generate_series(timestamp '2000-01-01 00:15', '2000-01-01 03:45', '15 minutes') as meets (at);

create function pg_temp.under(time_zone text) returns setof text
language plpgsql
as $$
begin
  perform set_config('timezone', time_zone, true);
  return query
  select is(c.worked, c.expected, format('%s, asked in %s.', c.what, time_zone))
  from every_case as c;
  return query
  select is(
    array(select format('%s %s %s', t.zone, t.day, t.at::time) from tiled as t where t.divided <> t.whole),
    '{}', format('Shifts that meet on the clock meet in time, asked in %s.', time_zone)
  );
end;
$$;
select pg_temp.under(z) from unnest(array['UTC', 'Asia/Tokyo', 'America/St_Johns']) as z;
set local timezone = 'UTC';

-- Nine o'clock every Tuesday.
delete from hospital.doctor_schedules;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
select p.doc, 2, '09:00', '10:00' from place as p;
select is(
  array(
    select distinct (s.starts_at at time zone p.zone)::time || '-' || (s.ends_at at time zone p.zone)::time
    from hospital_private.working_shifts(array[p.doc], '[2027-01-01 00:00Z,2028-01-01 00:00Z)') as s
  ),
  '{09:00:00-10:00:00}', format('Nine o''clock every Tuesday is nine o''clock all year in %s.', p.zone)
)
from place as p;
select is(
  (select count(*) from hospital_private.working_shifts(array[p.doc], '[2027-01-01 00:00Z,2028-01-01 00:00Z)')),
  52::bigint, format('And there are 52 of them in %s.', p.zone)
)
from place as p;
select is(
  (
    select count(distinct (s.starts_at at time zone 'UTC')::time)
    from hospital_private.working_shifts(array[p.doc], '[2027-01-01 00:00Z,2028-01-01 00:00Z)') as s
  ),
  case p.zone when 'Asia/Tokyo' then 1 else 2 end::bigint, format('Seen from Greenwich it moves, but not for %s if its clocks do not.', p.zone)
)
from place as p;
select is(
  (
    select array_agg(s.doctor_id order by s.doctor_id)
    from hospital_private.working_shifts(array(select doc from place), '[2027-11-01 12:00Z,2027-11-03 00:00Z)') as s
  ),
  (select array_agg(p.doc order by p.doc) from place as p), 'Doctors of several zones are answered at once.'
);
-- Whatever part is asked for, it is the part of the whole.
delete from hospital.doctor_schedules;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
select p.doc, w, s.starts, s.ends from place as p, generate_series(1, 7) as w,
  (values (time '23:00', time '01:30'), ('01:30', '02:15'), ('02:15', '07:00')) as s (starts, ends);
select is(
  array(
    select format('%s %s', p.zone, part)
    from place as p
    cross join lateral (
      select hospital_private.working_time(p.doc, '[2027-03-26 00:00Z,2027-04-06 00:00Z)') as time
    ) as whole
    cross join generate_series(timestamptz '2027-03-27 00:10Z', '2027-04-05 00:00Z', '55 minutes') as at
    cross join lateral (select tstzrange(at, at + interval '55 minutes') as part) as asked
    where hospital_private.working_time(p.doc, part) <> whole.time * tstzmultirange(part)
  ),
  '{}', 'Each part of the time is the same asked alone.'
);
select * from finish();
rollback;

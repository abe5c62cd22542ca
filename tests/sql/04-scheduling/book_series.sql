-- Series: the clock's time and not a distance of hours, all of it or none unless told otherwise.
begin;
select no_plan();

-- A year of weeks needs a horizon beyond the year.
update hospital.appointment_types set horizon_days = 800;
create temporary table who on commit drop as
select
  d.doc, d.ward, d.room,
  tests.doctor(d.ward, 'other@example.test', d.room) as other,
  tests.patient('ann@example.test') as ann,
  tests.patient('bob@example.test') as bob,
  tests.type_id() as type
from (
  select w.ward, w.room, tests.doctor(w.ward, 'doc@example.test', w.room) as doc
  from (select w.ward, tests.room(w.ward) as room from (select tests.department() as ward) as w) as w
) as d;
alter table who add at timestamptz;
update who set at = tests.next_working_instant(doc, '09:00');
-- Somebody who works on the Sundays on which clocks change.
create temporary table owl on commit drop as
with change as (
  select
    d.day::date as day,
    extract(
      epoch from (d.day + interval '12 hours') at time zone 'America/New_York'
        - d.day at time zone 'America/New_York'
    ) / 3600 as hours
  from generate_series(
    date_trunc('day', localtimestamp) + interval '10 days',
    date_trunc('day', localtimestamp) + interval '400 days',
    interval '1 day'
  ) as d (day)
)
select
  tests.doctor(schedule => false) as doc,
  (select min(c.day) from change as c where c.hours = 11) as spring,
  (select min(c.day) from change as c where c.hours = 13) as autumn;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time)
select doc, 7, '00:00', '06:00' from owl;
grant select on who, owl to public;

create function pg_temp.series(
  patient bigint, doctor bigint, at timestamptz, occurrences integer,
  every_weeks integer default 1, skip boolean default false, key text default null, type bigint default null
)
returns text
language sql
as $$
  select tests.constraint_of(format(
    'select hospital.book_series(%L, %L, %L, %L, %L, %L, %L, ''Physiotherapy'', %L)',
    patient, doctor, coalesce(series.type, who.type), series.at, occurrences, every_weeks, skip, key
  ))
  from who;
$$;
create function pg_temp.local(at timestamptz) returns timestamp
language sql
as $$ select at at time zone 'America/New_York' $$;

-- ### Ann
select tests.authenticate_as('ann@example.test');
select results_eq(
  $$ select s.patient_id, s.doctor_id, s.local_time, s.first_date, s.every_weeks, s.occurrences, s.skipped_dates
    from who cross join lateral hospital.book_series(ann, doc, type, at, 52, reason => 'Physiotherapy') as s $$,
  $$ select ann, doc, time '09:00', pg_temp.local(at)::date, 1, 52, '{}'::date[] from who $$,
  'A patient books a year of weeks.'
);
select results_eq(
  $$ select count(*), count(distinct a.starts_at::date), min(pg_temp.local(a.starts_at)::time), max(pg_temp.local(a.starts_at)::time),
      count(distinct (a.starts_at at time zone 'UTC')::time), min(a.reason), count(*) filter (where a.status = 'scheduled')
    from hospital.appointments as a join hospital.appointment_series as s on s.id = a.series_id $$,
  $$ values (52::bigint, 52::bigint, time '09:00', time '09:00', 2::bigint, 'Physiotherapy', 52::bigint) $$,
  'Each week at nine on the clock, which is two times of the day elsewhere, since clocks change within a year.'
);
select is(pg_temp.series(ann, doc, at + interval '1 hour', 3, 4), 'accepted', 'Or every four weeks.') from who;
select results_eq(
  $$ select array_agg(pg_temp.local(a.starts_at) order by a.starts_at) from hospital.appointments as a
    join hospital.appointment_series as s on s.id = a.series_id where s.every_weeks = 4 $$,
  $$ select array[pg_temp.local(at) + interval '1 hour', pg_temp.local(at) + interval '28 days 1 hour', pg_temp.local(at) + interval '56 days 1 hour'] from who $$,
  'With three weeks free between.'
);

-- A series has an end.
select is(pg_temp.series(ann, doc, at + interval '2 hours', n, w), refusal, format('%s times every %s weeks.', n, w))
from who cross join (values
  (0, 1, 'appointment_series_is_finite'), (-1, 1, 'appointment_series_is_finite'),
  (53, 1, 'appointment_series_is_finite'), (2147483647, 1, 'appointment_series_is_finite'),
  (2, 0, 'appointment_series_every_weeks_plausible'), (2, -2147483648, 'appointment_series_every_weeks_plausible'),
  (2, 53, 'appointment_series_every_weeks_plausible'), (null, 1, '23502'), (2, null, '23502')
) as wrong (n, w, refusal);
select is(pg_temp.series(ann, doc, wrong.at, 2, skip => true), wrong.refusal, format('From %s.', wrong.at))
from who cross join lateral (values
  (who.at - interval '70 days', 'PASTT'), ('-infinity', 'PASTT'), ('infinity', 'TOFAR'),
  ('294276-12-31 23:59Z', 'TOFAR'), (null, '23502')
) as wrong (at, refusal);
select is(pg_temp.series(ann, -1, at, 2), 'NTFND', 'With a doctor who does not exist.') from who;
select is(pg_temp.series(bob, doc, at, 2), 'NTFND', 'For Bob.') from who;
select is(pg_temp.series(ann, doc, at, 2, type => -1), 'NTFND', 'Of a type that does not exist.') from who;
select is(
  pg_temp.series(ann, doc, at + interval '2 hours', 2, type => tests.type_id('walk_in')),
  'NOTBK', 'Of a type that is not booked.'
) from who;

-- ### Bob: impossible weeks
select tests.clear_authentication();
select tests.appointment(doc, null, tests.local_instant(doc, pg_temp.local(at) + interval '14 days 3 hours')) from who;
select tests.authenticate_as('bob@example.test');
select is(pg_temp.series(bob, doc, at + interval '3 hours', 4), 'SRIES', 'A taken week refuses the series.') from who;
select is_empty('select from hospital.appointments', 'And nothing of it stays, no appointment')
union all select is_empty('select from hospital.appointment_series', 'and no series.');
select results_eq(
  $$ select s.occurrences, s.skipped_dates from who cross join lateral hospital.book_series(
    bob, doc, type, at + interval '3 hours', 4, skip_impossible => true) as s $$,
  $$ select 4, array[pg_temp.local(at)::date + 14] from who $$,
  'Where it may be skipped, it is named.'
);
select is(count(*), 3::bigint, 'And the rest is booked.') from hospital.appointments;
select is(
  pg_temp.series(bob, doc, at + interval '3 hours', 4, skip => true),
  'SRIES', 'Where nothing is left to be booked, it is refused.'
) from who;
select is(pg_temp.series(bob, doc, at - interval '4 hours', 2), 'SRIES', 'Nobody works at five.') from who;
select is(pg_temp.series(bob, other, at - interval '1 hour', 2, 52), 'accepted', 'Twice, a year apart,') from who;
select is(pg_temp.series(bob, other, at + interval '1 hour', 4, 52), 'SRIES', 'but not beyond the horizon,') from who;
select results_eq(
  $$ select cardinality(s.skipped_dates) from who cross join lateral hospital.book_series(
    bob, other, type, at + interval '2 hours', 4, 52, skip_impossible => true) as s $$,
  array[1], 'which is skipped if asked.'
);

-- ### Ann, when clocks change
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(
  pg_temp.series(ann, owl.doc, tests.local_instant(owl.doc, spring - 7 + time '02:30'), 3),
  'SRIES', 'A week whose clocks jump over the time is impossible.'
) from owl, who;
create temporary table over on commit drop as
select s.* from owl cross join who cross join lateral hospital.book_series(
  ann, owl.doc, type, tests.local_instant(owl.doc, spring - 7 + time '02:30'), 3, skip_impossible => true) as s;
select is(skipped_dates, array[spring], 'It is skipped,') from over, owl;
select is(
  array(select pg_temp.local(a.starts_at) from hospital.appointments as a where a.series_id = over.id order by a.starts_at),
  array[spring - 7 + time '02:30', spring + 7 + time '02:30'], 'and half past two it is before and after.'
) from over, owl;
delete from over;
insert into over
select s.* from owl cross join who cross join lateral hospital.book_series(
  ann, owl.doc, type, tests.local_instant(owl.doc, autumn - 7 + time '01:30'), 3) as s;
select is(
  array(select a.starts_at from hospital.appointments as a where a.series_id = over.id order by a.starts_at),
  array[
    (autumn - 7 + time '01:30') at time zone 'America/New_York',
    (autumn + time '00:30') at time zone 'America/New_York' + interval '1 hour',
    (autumn + 7 + time '01:30') at time zone 'America/New_York'
  ],
  'A time that comes twice is booked the first time.'
) from over, owl;
select is(
  pg_temp.series(ann, owl.doc, (autumn + time '00:30') at time zone 'America/New_York' + interval '2 hours', 2),
  'SRIES', 'A series does not begin in the second hour of that name.'
) from owl, who;

-- Limits of a day count.
select tests.clear_authentication();
update hospital.doctors as d set daily_limit = 1 from who where d.id = who.other;
select tests.authenticate_as('bob@example.test');
select is(pg_temp.series(bob, other, at + interval '5 hours', 2), 'SRIES', 'A full day is impossible.') from who;

-- A request that is repeated.
create temporary table answers on commit drop as
select s.id from generate_series(1, 2) as again cross join who cross join lateral hospital.book_series(
  bob, doc, type, at + interval '6 hours', 2, idempotency_key => 'series-of-bob') as s;
select is(count(distinct id), 1::bigint, 'The same request under the same key is one series.') from answers;
select is(count(*), 2::bigint, 'Of two appointments.') from hospital.appointments where series_id in (select id from answers);
select is(
  pg_temp.series(bob, doc, at + interval '6 hours', 3, key => 'series-of-bob'),
  'IDKEY', 'Another under that key is refused.'
) from who;

-- ### who sees and changes what
select is(count(*), 4::bigint, 'Bob sees his own,') from hospital.appointment_series;
select is(count(*), 0::bigint, 'and nobody else''s.') from hospital.appointment_series where patient_id <> (select bob from who);
select tests.clear_authentication();
update hospital.appointment_series set created_at = created_at - interval '1 day';
create temporary table of_ann on commit drop as
select min(s.id) as id from hospital.appointment_series as s, who where s.patient_id = ann and s.every_weeks = 1 and s.doctor_id = who.doc;
grant select on of_ann to public;
select tests.authenticate_as('bob@example.test');
select is(tests.constraint_of(format('select hospital.cancel_series(%s)', id)), 'NTFND', 'Bob does not cancel Ann''s.') from of_ann;
with changed as (update hospital.appointment_series set skipped_dates = '{}' returning id)
select is(count(*), 0::bigint, 'What was skipped he does not change afterwards.') from changed;
select is(tests.would_be('update hospital.appointment_series set occurrences = 1'), '42501', 'Nor how often.');
select is(
  tests.would_be(format('insert into hospital.appointment_series (patient_id, doctor_id, appointment_type_id, first_date, local_time, every_weeks, occurrences) values (%s, %s, %s, current_date, ''09:00'', 1, 1)', ann, doc, type)),
  '42501', 'He makes none for Ann.'
) from who;

-- ### cancelling
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select hospital.cancel_series(of_ann.id, (pg_temp.local(at) + interval '70 days')::date) from of_ann, who;
select results_eq(
  $$ select a.status, a.cancellation_reason, count(*), min(pg_temp.local(a.starts_at)::date) from hospital.appointments as a join of_ann on of_ann.id = a.series_id group by 1, 2 order by 1 $$,
  $$ select * from (values
    ('cancelled', 'patient_request', 42::bigint, (select pg_temp.local(at)::date + 70 from who)),
    ('scheduled', null, 10::bigint, (select pg_temp.local(at)::date from who))) as v $$,
  'From a date on, all that is still to come is called off.'
);
select lives_ok(format('select hospital.cancel_series(%s, current_date + 70)', id), 'Again, it changes nothing.') from of_ann;
select is(tests.constraint_of(format('select hospital.cancel_series(%s, null, ''doctor_ill'')', id)), '42501', 'Patients give reasons of their own.') from of_ann;
select tests.clear_authentication();
select tests.authenticate_as('doc@example.test');
select is((hospital.cancel_series(id, null, 'doctor_ill')).id, id, 'The doctor cancels what is left,') from of_ann;
select is(count(*) filter (where a.status = 'cancelled'), 52::bigint, 'all of it.') from hospital.appointments as a, of_ann where a.series_id = of_ann.id;
select is(count(*), 1::bigint, 'What was called off before keeps its reason.')
from (select distinct a.cancellation_reason from hospital.appointments as a, of_ann where a.series_id = of_ann.id and a.starts_at > (select at + interval '69 days' from who)) as r;
select is(pg_temp.series(bob, doc, at + interval '7 hours', 2), 'accepted', 'The doctor books series for the own roster,') from who;
select is(pg_temp.series(bob, other, at + interval '7 hours', 2), '42501', 'not with a colleague.') from who;
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select is(pg_temp.series(bob, doc, at + interval '8 hours', 2), 'accepted', 'Reception books series for anybody.') from who;
select tests.clear_authentication();
select tests.authenticate_as_role('administrator');
select is(pg_temp.series(bob, doc, at + interval '2 hours', 2, skip => true), 'accepted', 'Administrators do.') from who;
create function pg_temp.may(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return (select pg_temp.series(bob, doc, at + interval '5 hours', 2) from who);
end;
$$;
select is(pg_temp.may(r.name), '42501', format('%s may not.', initcap(r.name)))
from (values ('nurse'), ('pharmacist'), ('laboratory'), ('billing'), ('analyst'), ('auditor')) as r (name);

select tests.clear_authentication();
select * from finish();
rollback;

-- A week is replaced for a span of dates, by who may, and never over appointments that stand.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor(null, 'doc@example.test') as doc,
  tests.doctor(null, 'colleague@example.test') as colleague,
  tests.patient('ann@example.test') as ann;
alter table who add today date, add tuesday timestamptz, add next_tuesday timestamptz;
update who set
  today = (now() at time zone 'America/New_York')::date,
  tuesday = tests.next_working_instant(doc, '10:00');
-- A week later by the clocks on the wall.
update who set next_tuesday = ((tuesday at time zone 'America/New_York') + interval '7 days') at time zone 'America/New_York';
grant select on who to public;
create temporary table made on commit drop as
select tests.appointment(doc, ann, tuesday) as first, tests.appointment(doc, null, next_tuesday) as second from who;
grant select on made to public;

create function pg_temp.week(days int[], start_time time default '08:00', end_time time default '18:00') returns hospital.weekly_shift[]
language sql
as $$ select array_agg((d, $2, $3, null)::hospital.weekly_shift) from unnest($1) as d; $$;
create function pg_temp.rule_days(doctor bigint) returns text[]
language sql
as $$
  select array(
    select format('%s %s %s..%s', s.weekday, to_char(s.start_time, 'HH24:MI'), lower(s.effective) - w.today, upper(s.effective) - w.today)
    from hospital.doctor_schedules as s
    cross join who as w
    where s.doctor_id = $1
    order by s.weekday, s.start_time, s.effective
  );
$$;

-- ### the doctor
select tests.authenticate_as('doc@example.test');
select throws_ok(
  format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[1, 3]))', doc),
  'INWAY', 'Appointments are in the way.', 'A week without the Tuesdays that are booked is refused.'
) from who;
select is(pg_temp.rule_days(doc), array['1 08:00 ..', '2 08:00 ..', '3 08:00 ..', '4 08:00 ..', '5 08:00 ..'], 'And nothing has changed.') from who;
select is(
  hospital.set_doctor_schedule(doc, pg_temp.week(array[1, 3]), report_conflicts => true),
  (doc, false, array[first, second])::hospital.calendar_change,
  'Asked for, the appointments in the way are named, in order of time.'
) from who, made;
select is(pg_temp.rule_days(doc), array['1 08:00 ..', '2 08:00 ..', '3 08:00 ..', '4 08:00 ..', '5 08:00 ..'], 'And still nothing has changed.') from who;
select is(
  array(select a.id from hospital.calendar_change_appointments((doc, false, array[second, first])) as a),
  array[first, second], 'They can be followed to the appointments.'
) from who, made;
select is(
  hospital.set_doctor_schedule(doc, pg_temp.week(array[1, 2], '10:15'), report_conflicts => true),
  (doc, false, array[first, second])::hospital.calendar_change,
  'An appointment that would begin before the hours is in the way.'
) from who, made;
select is(
  hospital.set_doctor_schedule(doc, pg_temp.week(array[1, 2], '10:00', '10:29'), report_conflicts => true),
  (doc, false, array[first, second])::hospital.calendar_change,
  'And one that would end after them.'
) from who, made;
select is(
  hospital.set_doctor_schedule(
    doc, pg_temp.week(array[1, 3]), effective_until => (tuesday at time zone 'America/New_York')::date + 1, report_conflicts => true
  ),
  (doc, false, array[first])::hospital.calendar_change,
  'Only those in the span of dates are in the way.'
) from who, made;
select is(
  hospital.set_doctor_schedule(doc, pg_temp.week(array[2], '10:00', '10:30'), today, report_conflicts => true),
  (doc, true, '{}')::hospital.calendar_change,
  'With none in the way the hours change, also when a report was asked for.'
) from who;
select lives_ok('set constraints all immediate', 'The end of the transaction agrees.');
set constraints all deferred;
select is(
  pg_temp.rule_days(doc),
  array['1 08:00 ..0', '2 08:00 ..0', '2 10:00 0..', '3 08:00 ..0', '4 08:00 ..0', '5 08:00 ..0'],
  'The past keeps its hours, and the new ones hold from today on.'
) from who;
select lives_ok(
  format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2], ''09:00'', ''12:00''), %L, %L)', doc, today + 40, today + 60),
  'A span within is replaced'
) from who;
select is(
  (pg_temp.rule_days(doc))[2:5],
  array['2 08:00 ..0', '2 09:00 40..60', '2 10:00 0..40', '2 10:00 60..'], 'and before and after it the week stays.'
) from who;
select lives_ok(
  format('select hospital.set_doctor_schedule(%s, ''{}'', %L)', doc, today + 30), 'No shift at all is a week, too.'
) from who;
select is(
  (pg_temp.rule_days(doc))[2:4],
  array['2 08:00 ..0', '2 10:00 0..30', '3 08:00 ..0'], 'What lay beyond is gone.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2]), %L)', doc, today - 1)),
  'PASTT', 'Hours of the past are not rewritten.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2]), %L, %L)', doc, today + 3, today + 3)),
  'doctor_schedules_effective_not_empty', 'Hours are in force at some time.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, ''{}'', %L, %L)', doc, today + 3, today + 2)),
  'doctor_schedules_effective_not_empty', 'They end after they begin.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, null)', doc)), 'MISSA', 'A forgotten week is not an empty one.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2]) || pg_temp.week(array[2], ''17:00'', ''19:00''))', doc)),
  'doctor_schedules_never_overlap', 'Shifts do not overlap.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2], ''08:00'', ''12:00'') || pg_temp.week(array[2, 3], ''12:00'', ''08:00''))', doc)),
  'accepted', 'They may touch and run over midnight.'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[1]))', colleague)),
  'PRMSN', 'A colleague''s week is not his to change,'
) from who;
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[1]), %L)', -1, today)), 'NTFND', 'nor one of nobody.'
) from who;

-- ### reception and administrators
select tests.clear_authentication();
select tests.authenticate_as_role('reception');
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2]))', doc)), 'accepted', 'Reception keeps everybody''s week.'
) from who;
select tests.clear_authentication();
select tests.authenticate_as_role('administrator');
select is(
  tests.would_be(format('select hospital.set_doctor_schedule(%s, pg_temp.week(array[2]))', doc)), 'accepted', 'And so do administrators.'
) from who;
-- Somebody who has just been approved has no hours.
select tests.clear_authentication();
create temporary table newcomer on commit drop as select tests.doctor(schedule => false) as id;
grant select on newcomer to public;
select tests.authenticate_as_role('administrator');
select is(
  (hospital.set_doctor_schedule(id, pg_temp.week(array[1, 2, 3]))).is_applied, true, 'Who has no hours yet is given some.'
) from newcomer;
select is(count(*), 3::bigint, 'There they are.') from hospital.doctor_schedules as s, newcomer as n where s.doctor_id = n.id;

-- ### the others
select tests.clear_authentication();
create function pg_temp.as_role(role text) returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return (select tests.would_be(format('select hospital.set_doctor_schedule(%s, ''{}'')', doc)) from who);
end;
$$;
select is(pg_temp.as_role(r), '42501', format('A %s does not.', r)) from unnest(array['patient', 'nurse', 'pharmacist', 'billing']) as r;
select tests.clear_authentication();
select * from finish();
rollback;

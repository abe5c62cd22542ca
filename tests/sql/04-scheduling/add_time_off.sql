-- Absences and extra sessions through the API: by who may, never over appointments that stand, and asked
-- for, with exactly those that would be in the way.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.doctor(null, 'doc@example.test') as doc,
  tests.doctor(null, 'colleague@example.test') as colleague,
  tests.patient('ann@example.test') as ann;
alter table who add at timestamptz, add night timestamptz;
update who set at = tests.next_working_instant(doc, '10:00'), night = tests.next_working_instant(doc, '20:00');
grant select on who to public;
create function pg_temp.sessions() returns text[]
language sql
as $$
  select array(
    select format('%s..%s', to_char(s.starts_at - w.night, 'HH24:MI'), to_char(s.ends_at - w.night, 'HH24:MI'))
    from hospital.doctor_extra_sessions as s, who as w
    order by s.starts_at
  );
$$;

-- ### the doctor
select tests.authenticate_as('doc@example.test');
select is(
  (hospital.add_extra_session(doc, night, night + interval '2 hours')).doctor_id, doc, 'A doctor works one evening more.'
) from who;
select tests.clear_authentication();
create temporary table made on commit drop as
select
  tests.appointment(doc, ann, at) as day,
  tests.appointment(doc, null, at + interval '1 hour', status => 'held') as held,
  tests.appointment(doc, null, at + interval '2 hours') as called_off,
  tests.appointment(doc, null, night + interval '90 minutes') as night,
  tests.appointment(doc, null, at + interval '3 hours') as overridden
from who;
update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where id = (select called_off from made);
grant select on made to public;
select tests.authenticate_as('doc@example.test');
select is((hospital.override_appointment(overridden, 'doctor_agreed')).id, overridden, 'One he will come in for, whatever the hours.') from made;

select throws_ok(
  format('select hospital.add_time_off(%s, %L, %L, ''vacation'')', doc, at - interval '1 day', at + interval '2 days'),
  'INWAY', 'Appointments are in the way.', 'A vacation over appointments is refused.'
) from who;
select is(
  hospital.add_time_off(doc, at - interval '1 day', at + interval '2 days', 'vacation', report_conflicts => true),
  (doc, false, array[day, held, m.night])::hospital.calendar_change,
  'Asked for, those in the way are named: booked, held and in the extra session; not those called off or overridden.'
) from who, made as m;
select is(
  hospital.add_time_off(doc, at + interval '15 minutes', at + interval '16 minutes', 'illness', report_conflicts => true),
  (doc, false, array[day])::hospital.calendar_change, 'A minute is enough to be in the way.'
) from who, made;
select is_empty('select from hospital.doctor_time_off', 'No absence was entered.');
select is(pg_temp.sessions(), array['00:00..02:00'], 'And no session withdrawn.');
select is(
  hospital.add_time_off(doc, at + interval '30 minutes', at + interval '1 hour', 'training', report_conflicts => true),
  (doc, true, '{}')::hospital.calendar_change, 'Between two appointments nothing is in the way.'
) from who;
select is(
  (hospital.add_time_off(doc, at + interval '2 hours', at + interval '4 hours', 'training')).is_applied,
  true, 'Nor where one was called off and one has leave to stay.'
) from who;
select is(
  (hospital.add_time_off(doc, night - interval '1 hour', night + interval '30 minutes', 'other')).is_applied,
  true, 'An absence may begin before an extra session and end within it.'
) from who;
select is(pg_temp.sessions(), array['00:30..02:00'], 'What lies in the absence is withdrawn.');
select is(
  (hospital.add_time_off(doc, night + interval '45 minutes', night + interval '1 hour', 'other')).is_applied, true, 'It may lie within.'
) from who;
select is(pg_temp.sessions(), array['00:30..00:45', '01:00..02:00'], 'Then the session goes on after it.');
select lives_ok('set constraints all immediate', 'The end of the transaction agrees with all of it.');
set constraints all deferred;
select is(
  hospital.remove_extra_session(s.id, report_conflicts => true),
  (doc, false, array[m.night])::hospital.calendar_change, 'A session with an appointment in it is not withdrawn,'
) from who as w, made as m, hospital.doctor_extra_sessions as s where s.ends_at = w.night + interval '2 hours';
select is(
  tests.would_be(format('select hospital.remove_extra_session(%s)', s.id)), 'INWAY', 'also when nobody asked for a report.'
) from who as w, hospital.doctor_extra_sessions as s where s.ends_at = w.night + interval '2 hours';
select is(
  hospital.remove_extra_session(s.id, report_conflicts => true),
  (doc, true, '{}')::hospital.calendar_change, 'One with none is.'
) from who as w, hospital.doctor_extra_sessions as s where s.ends_at < w.night + interval '2 hours';
select is(pg_temp.sessions(), array['01:00..02:00'], 'The other stays.');
select is(
  hospital.remove_time_off(o.id), (doc, true, '{}')::hospital.calendar_change, 'An absence is withdrawn.'
) from who, hospital.doctor_time_off as o where o.reason = 'training' and o.ends_at = at + interval '1 hour';
select is(
  tests.would_be(format('select hospital.add_extra_session(%s, %L, %L)', doc, at + interval '2 hours', at + interval '3 hours')),
  'accepted', 'An extra session may be entered inside an absence.'
) from who;
select is(
  tests.would_be(format('select hospital.add_extra_session(%s, %L, %L)', doc, night + interval '1 hour', night + interval '3 hours')),
  'doctor_extra_sessions_never_overlap', 'But not over another.'
) from who;
select is(
  tests.would_be(format('select hospital.add_time_off(%s, %L, %L, ''other'')', doc, night, night)),
  'doctor_time_off_ends_after_start', 'An absence ends after it starts,'
) from who;
select is(
  tests.would_be(format('select hospital.add_time_off(%s, %L, %L, ''mood'')', doc, night + interval '1 day', night + interval '2 days')),
  'doctor_time_off_reason_fkey', 'has a reason that is listed,'
) from who;
select is(
  tests.would_be(format('select hospital.add_time_off(%s, %L, ''infinity'', ''other'')', doc, night + interval '1 day')),
  'doctor_time_off_times_finite', 'and an end.'
) from who;

-- A colleague's calendar is not his.
select is(
  tests.would_be(format('select hospital.add_time_off(%s, %L, %L, ''other'')', colleague, night, night + interval '1 day')),
  '42501', 'He does not send a colleague away,'
) from who;
select is(
  tests.would_be(format('select hospital.add_extra_session(%s, %L, %L)', colleague, night, night + interval '1 day')),
  '42501', 'nor call him in.'
) from who;
select tests.clear_authentication();
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) select colleague, night, night + interval '1 hour', 'illness' from who;
insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) select colleague, night, night + interval '1 hour' from who;
create temporary table theirs on commit drop as
select o.id as time_off, s.id as session from who join hospital.doctor_time_off as o on o.doctor_id = colleague join hospital.doctor_extra_sessions as s on s.doctor_id = colleague;
grant select on theirs to public;
create function pg_temp.calls() returns text[]
language sql
as $$
  select array[
    tests.would_be(format('select hospital.remove_time_off(%s)', time_off)),
    tests.would_be(format('select hospital.remove_extra_session(%s)', session)),
    tests.would_be(format('select hospital.add_time_off(%s, %L, %L, ''other'')', colleague, night, night + interval '2 hours')),
    tests.would_be(format('select hospital.add_extra_session(%s, %L, %L)', colleague, night + interval '2 hours', night + interval '3 hours'))
  ]
  from who, theirs;
$$;
create function pg_temp.as_role(role text) returns text[]
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform tests.authenticate_as_role($1);
  return pg_temp.calls();
end;
$$;
select tests.authenticate_as('doc@example.test');
select is(pg_temp.calls(), array['NTFND', 'NTFND', 'PRMSN', '42501'], 'He does not call him back either.');
select tests.clear_authentication();
select tests.authenticate_as('colleague@example.test');
select is(pg_temp.calls(), array['accepted', 'accepted', 'accepted', 'accepted'], 'The colleague may do all of it himself.');

-- ### the others
select is(pg_temp.as_role(r), array['accepted', 'accepted', 'accepted', 'accepted'], format('And so may %s.', r))
from unnest(array['reception', 'administrator']) as r;
select is(pg_temp.as_role(r), array['42501', '42501', '42501', '42501'], format('A %s may not.', r))
from unnest(array['patient', 'nurse', 'laboratory']) as r;
select tests.clear_authentication();
select * from finish();
rollback;

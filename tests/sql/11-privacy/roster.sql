-- Whose patients they are: one's own, and on duty those who are here today.
begin;
select no_plan();

-- A building where it is the middle of the day, so that yesterday and tomorrow are far.
create temporary table place on commit drop as
select z.name as zone, (now() at time zone z.name)::date + time '12:00' as noon
from hospital.time_zones as z
where extract(hour from now() at time zone z.name) between 8 and 15
order by z.name
limit 1;
create temporary table who on commit drop as
select d.ward, tests.doctor(d.ward, 'doc@example.test', schedule => false) as doc, tests.doctor(d.ward, 'other@example.test', schedule => false) as other,
  tests.doctor(null, 'far@example.test', schedule => false) as far, tests.staff('nurse', d.ward, 'nurse@example.test') as nurse
from (select tests.department(tests.facility(zone)) as ward from place) as d;
grant select on who to public;
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) select other, day, '00:00', '00:00' from who, generate_series(1, 7) as day;

create function pg_temp.appointment(doctor bigint, at timestamptz, status text) returns bigint
language sql
as $$
  insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, ends_at, status, expires_at, cancellation_reason)
  values (tests.patient(), doctor, tests.type_id(), at, at + interval '15 minutes', status,
    case when status = 'held' then now() + interval '10 minutes' end, case when status = 'cancelled' then 'patient_request' end)
  returning patient_id;
$$;
create temporary table patients on commit drop as
select v.name, pg_temp.appointment(v.doctor, v.at, v.status) as id
from who, place
cross join lateral (values
  ('own, long ago', doc, now() - interval '5 years', 'completed'),
  ('own, cancelled', doc, now() - interval '4 years', 'cancelled'),
  ('today', other, noon at time zone zone, 'completed'),
  ('today, first minute', other, date_trunc('day', noon) at time zone zone, 'completed'),
  ('yesterday', other, (date_trunc('day', noon) - interval '1 minute') at time zone zone, 'completed'),
  ('tomorrow', other, (date_trunc('day', noon) + interval '1 day') at time zone zone, 'completed'),
  ('still here', other, now() - interval '3 days', 'in_progress'),
  ('today, cancelled', other, noon at time zone zone + interval '1 hour', 'cancelled'),
  ('today, lapsed', other, noon at time zone zone + interval '2 hours', 'lapsed'),
  ('today, elsewhere', far, noon at time zone zone, 'completed'),
  ('89 days ago', other, now() - interval '89 days', 'completed'),
  ('91 days ago', other, now() - interval '91 days', 'completed')
) as v (name, doctor, at, status);
grant select on patients to public;
create function pg_temp.roster() returns text[]
language sql
as $$ select array(select p.name from patients as p join hospital.patients as seen using (id) order by p.name); $$;

select tests.authenticate_as('doc@example.test');
select is(pg_temp.roster(), array['own, long ago'], 'Off duty a doctor sees his own, and of those not who called off.');
select is(tests.would_be('select hospital.open_chart(id) from patients where name = ''today'''), 'NTFND', 'Off duty he opens nobody else''s chart.');

select is_empty('select from hospital.department_today()', 'Nor has he a list of who is here.');

select tests.clear_authentication();
insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time) select doc, day, '00:00', '00:00' from who, generate_series(1, 7) as day;
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.roster(), array['own, long ago', 'still here', 'today', 'today, first minute'],
  'On duty he sees who is here today in his department, by the clock on its wall, and nobody of yesterday, tomorrow or next door.'
);
select results_eq(
  'select (select p.name from patients as p where p.id = a.patient_id) from hospital.department_today() as a',
  $$ values ('still here'), ('today, first minute'), ('today') $$,
  'He has them as a list, in the order of the day;'
);
select is_empty('select from hospital.appointments where doctor_id <> (select doc from who)', 'his colleagues'' calendars stay their own.');
select is((hospital.open_chart(id)).id, id, 'And opens their charts.') from patients where name = 'today';
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select p.id, doc, tests.type_id(), now() + interval '2 days' from who, patients as p where p.name = 'today'$$),
  '42501', 'But takes none of them onto his own roster by booking.'
);

select tests.clear_authentication();
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason) select doc, now() - interval '1 hour', now() + interval '1 hour', 'illness' from who;
select tests.authenticate_as('doc@example.test');
select is(pg_temp.roster(), array['own, long ago'], 'Away from work he has no duty, whatever the week says.');

select tests.authenticate_as('nurse@example.test');
select is(
  pg_temp.roster(), array['89 days ago', 'still here', 'today', 'today, first minute', 'tomorrow', 'yesterday'],
  'A nurse sees the department''s of the last 90 days and to come.'
);
select is(tests.would_be('select * from hospital.department_today()'), '42501', 'The list of duty is for doctors: a nurse has the calendar.');
select tests.clear_authentication();
select * from finish();
rollback;

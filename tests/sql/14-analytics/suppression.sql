-- What a doctor is told of his department, and every way to make more of it.
begin;
select no_plan();
update hospital_private.masking_settings set smallest_cell = 5;
select tests.staff('administrator', null, 'admin@example.test');
create temporary table ward on commit drop as
select tests.department(tests.facility('UTC')) as id;
create temporary table doctors on commit drop as
select n as name, tests.doctor(w.id, n || '@example.test') as id
from ward as w, unnest('{asks,dan,dom}'::text[]) as n;
create temporary table patients on commit drop as
select n as number, tests.patient() as id from generate_series(1, 30) as n;
grant select on ward, doctors, patients to public;

create function pg_temp.book(doctor text, month text, first integer, last integer) returns void
language sql
as $$
  select tests.appointment(d.id, p.id, (($2 || '-01')::date + p.number % 28 + time '10:00') at time zone 'UTC', status => case when p.number % 4 = 0 then 'no_show' else 'completed' end)
  from doctors as d
  join patients as p on p.number between $3 and $4
  where d.name = $1;
$$;
-- Every month his own two patients. In January five others came to two colleagues,
select pg_temp.book('asks', m, 1, 2) from unnest('{2024-01,2024-02,2024-03,2024-04,2024-05}'::text[]) as m;
select pg_temp.book('dan', '2024-01', 11, 13), pg_temp.book('dom', '2024-01', 13, 15);
-- in February nine to a single colleague,
select pg_temp.book('dan', '2024-02', 11, 19);
-- in March four to two,
select pg_temp.book('dan', '2024-03', 11, 12), pg_temp.book('dom', '2024-03', 13, 14);
-- in April four, and besides two of his own patients,
select pg_temp.book('dan', '2024-04', 11, 14), pg_temp.book('dom', '2024-04', 1, 2);
-- and in May enough.
select pg_temp.book('dan', '2024-05', 11, 20), pg_temp.book('dom', '2024-05', 16, 25);
select tests.load_warehouse();

create function pg_temp.told(since date, until date) returns text
language sql
as $$
  select format('%s, %s left out', coalesce(l.appointments::text, 'nothing'), l.suppressed_months)
  from analytics.department_load($1, $2) as l;
$$;

select tests.authenticate_as('asks@example.test');
select is(pg_temp.told('2024-01-01', '2024-02-01'), '8, 0 left out', 'Five patients of two colleagues are enough.');
select is(pg_temp.told('2024-02-01', '2024-03-01'), 'nothing, 1 left out', 'Of a single colleague nothing is told, however many his patients: the rest would be his.');
select is(pg_temp.told('2024-03-01', '2024-04-01'), 'nothing, 1 left out', 'Nor of four patients.');
select is(pg_temp.told('2024-04-01', '2024-05-01'), 'nothing, 1 left out', 'One''s own patients do not hide the others.');
select is(pg_temp.told(null, null), '30, 3 left out', 'A longer period is the sum of the months that are told.');
select is(
  (select array[l.no_shows, l.completed, l.cancelled, l.planned_minutes, l.worked_minutes] from analytics.department_load('2024-02-01', '2024-03-01') as l),
  array[null, null, null, null, null]::bigint[], 'What is not told is told in no column.'
);
select is(
  (select to_jsonb(e) - 'department_id' - 'department_name' - 'data_as_of' from analytics.department_efficiency('2024-02-01', '2024-03-01') as e),
  '{"utilisation": null, "no_show_rate": null, "wait_p50_minutes": null, "wait_p90_minutes": null, "cancellation_rate": null, "completed_per_day": null, "suppressed_months": 1}'::jsonb,
  'Nor in how well the department runs.'
);
select is(
  (select e.no_show_rate from analytics.department_efficiency(null, null) as e),
  (select l.no_shows / (l.completed + l.no_shows)::double precision from analytics.department_load(null, null) as l), 'That is of the same months.'
);

-- ### By differences
-- Every period whose ends are among these days: whatever is taken from whatever, what is left is made of
-- January and of May.
create temporary table days on commit drop as
select distinct d::date as day
from generate_series(date '2023-12-20', date '2024-07-10', interval '1 day') as d
where extract(day from d) in (1, 2, 15, 31);
create temporary table asked on commit drop as
select f.day as since, u.day as until, l.appointments
from days as f
cross join days as u
cross join lateral analytics.department_load(f.day, u.day) as l;
select is(
  array(select distinct a.appointments from asked as a order by 1), '{8, 22, 30, null}',
  'No choice of days tells of part of a month, or of a month that is not told; those that may be told are.'
);

-- ### By names
select is_empty(
  $$
  select d.name, x.answer
  from doctors as d
  cross join lateral (
    select to_jsonb(t) from analytics.top_doctors(doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.department_load(doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.monthly_visits(doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.doctor_workload(doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.department_efficiency(doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.revenue(doctor_id => d.id) as t
    -- Days that no month covers are read elsewhere.
    union all select to_jsonb(t) from analytics.department_load('2024-01-02', '2024-05-30', doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.doctor_workload('2024-01-02', '2024-05-30', doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.department_efficiency('2024-01-02', '2024-05-30', doctor_id => d.id) as t
    union all select to_jsonb(t) from analytics.revenue('2024-01-02', '2024-05-30', doctor_id => d.id) as t
  ) as x (answer)
  where d.name <> 'asks'
  $$,
  'A colleague''s numbers are no answer to any question.'
);
select is_empty(
  $$ select l from unnest(array[0, -1, 900000000000]) as n cross join lateral analytics.department_load(doctor_id => n) as l $$,
  'Nor are those of nobody.'
);
select is((select count(*) from analytics.doctor_workload() as w), 1::bigint, 'He is told of himself alone.');
select is((select l.appointments from analytics.department_load(doctor_id => (select d.id from doctors as d where d.name = 'asks')) as l), 10::bigint, 'His own part he is told of exactly,');
select is(
  (select l.appointments from analytics.department_load('2024-02-02', '2024-04-30', doctor_id => (select d.id from doctors as d where d.name = 'asks')) as l),
  (select w.appointments from analytics.doctor_workload('2024-02-02', '2024-04-30') as w), 'for any days.'
);
select tests.clear_authentication();

-- ### By moving
select tests.authenticate_as('admin@example.test');
select is((select l.appointments from analytics.department_load() as l), 55::bigint, 'An administrator is told everything, of every month.');
select tests.clear_authentication();
create temporary table elsewhere on commit drop as select tests.department() as id;
update hospital.staff_members as m set department_id = e.id
from elsewhere as e, hospital.doctors as d, doctors as a
where d.staff_member_id = m.id and a.id = d.id and a.name = 'asks';
select tests.load_warehouse();
select tests.authenticate_as('asks@example.test');
select is_empty('select * from analytics.department_load()', 'Whoever has left a department is told no more of it.');
select tests.clear_authentication();
update hospital.staff_members as m set department_id = w.id
from ward as w, hospital.doctors as d, doctors as a
where d.staff_member_id = m.id and a.id = d.id and a.name = 'asks';

-- ### By the setting
update hospital_private.masking_settings set smallest_cell = 6;
select tests.load_warehouse();
select tests.authenticate_as('asks@example.test');
select is(pg_temp.told(null, null), '22, 4 left out', 'How many are enough is the setting by which numbers are published.');
select tests.clear_authentication();
select * from finish();
rollback;

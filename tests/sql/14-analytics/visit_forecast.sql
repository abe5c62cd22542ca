-- The forecast of visits, reckoned by hand, and who is told of whom.
begin;
select no_plan();
select tests.world(with_colleague => true);
create temporary table places on commit drop as
select p.name, p.id as doctor_id, m.department_id
from tests.people as p
join hospital.doctors as d on d.id = p.id
join hospital.staff_members as m on m.id = d.staff_member_id
where p.name in ('dora', 'dan', 'dirk');
grant select on places to public;

-- Facts by hand: visits(doctor, day, how many).
insert into warehouse.dim_patient (patient_key, patient_id, person_id, valid, sex, birth_year, is_active)
select n, -n, -n, '(,)', 'female', 1980, true from generate_series(1, 12) as n;
insert into warehouse.dim_department (department_key, department_id, valid, name, facility_id, is_active)
select distinct on (p.department_id) p.department_id, p.department_id, '(,)'::tstzrange, d.name, d.facility_id, true
from places as p join hospital.departments as d on d.id = p.department_id;
insert into warehouse.dim_doctor (doctor_key, doctor_id, valid, name, specialization, department_id, is_active, practising_since)
select p.doctor_id, p.doctor_id, '(,)', p.name, 'Cardiology', p.department_id, true, '2010-01-01' from places as p;
create function pg_temp.visits(doctor text, day date, visits bigint) returns void
language sql
as $$
  insert into warehouse.fact_visits
    (visit_id, appointment_id, patient_key, doctor_key, department_key, visited_on, start_minute, started_at, age_years)
  select
    (select coalesce(max(v.visit_id), 0) from warehouse.fact_visits as v) + n, 0, 1, p.doctor_id, p.department_id, $2, 600,
    $2 + time '10:00', 40
  from places as p
  cross join generate_series(1, $3) as n
  where p.name = $1;
$$;
update hospital.facilities set time_zone = 'Pacific/Auckland';

-- It is Monday, 2 March 2026, in Auckland, and still Sunday in London. Dora sees one patient on Mondays, two on Tuesdays,
-- … seven on Sundays; three more in the week that ends four weeks ago, one more since. Dan has been here for 83 days.
select pg_temp.visits(
  'dora', day::date,
  (extract(isodow from day) + case when date '2026-03-02' - day::date <= 28 then 1 when date '2026-03-02' - day::date <= 35 then 3 else 0 end)::bigint
)
from generate_series(timestamp '2025-12-08', timestamp '2026-03-01', interval '1 day') as day;
select pg_temp.visits('dan', '2025-12-09', 5);
refresh materialized view warehouse.mv_top_doctors;
delete from warehouse.view_states as s where s.view_name = 'mv_top_doctors';
insert into warehouse.view_states (view_name, filled_from, refreshed_at, data_as_of)
values ('mv_top_doctors', '', now(), '2026-03-01 12:00Z');

create function pg_temp.forecast(from_date date, until_date date, department text, doctor text) returns setof text
language sql
as $$
  select concat_ws(
    ' ', f.day, coalesce(f.expected_visits::text, '-'), f.fewest || '..' || f.most,
    f.mean_error || '/' || f.naive_error, f.relative_error, f.history_days, f.remark
  )
  from analytics.visit_forecast(
    $1, $2, (select p.department_id from places as p where p.name = $3), (select p.doctor_id from places as p where p.name = $4)
  ) as f;
$$;

select tests.authenticate_as('administrator@example.test');
-- Mondays: 1 thrice, 4 once, 2 four times: 15 in eight. Four weeks ago: 1 seven times, 4 once: 11 in eight,
-- and 2 came: wrong by 0.625; by the week before, 4, it would have been 2. All days alike. 28 x 0.625 of 28 x 5 visits.
select results_eq(
  $$ select pg_temp.forecast('2026-03-02', '2026-03-04', 'dora', 'dora') $$,
  $$ values ('2026-03-02 1.9 1..4 0.6/2.0 0.125 84'), ('2026-03-03 2.9 2..5 0.6/2.0 0.125 84') $$,
  'A day is expected to be as the same weekday was, and the error is that of the same rule four weeks ago.'
);
select is(
  (select string_agg(f, '; ') from pg_temp.forecast(null, '2026-03-03', 'dan', 'dan') as f),
  '2026-03-02 - 83 Too little history: 83 days, of 84 that are needed.',
  'With too little history there is no number, and it says why.'
);
select is(
  (select string_agg(f, '; ') from pg_temp.forecast(null, '2026-03-03', 'dirk', null) as f),
  '2026-03-02 - 0 Too little history: 0 days, of 84 that are needed.',
  'A department to which nobody came has none at all.'
);
select results_eq(
  $$ select min(f.day), max(f.day), count(*), count(distinct f.department_id) from analytics.visit_forecast() as f $$,
  $$ values (date '2026-03-02', date '2026-03-29', 28 * 2::bigint, 2::bigint) $$,
  'Four weeks of every department that is open, from the day on that the data end, whatever today is.'
);
select results_eq(
  $$ select min(f.day), max(f.day) from analytics.visit_forecast('2025-01-01', '2027-01-01') as f $$,
  $$ values (date '2026-03-02', date '2026-06-01') $$,
  'Neither what has been nor what is more than a quarter of a year away.'
);
select is(
  (select count(*) from analytics.visit_forecast('-infinity', 'infinity')), 92 * 2::bigint, 'Dates without end are none.'
);
select is_empty($$ select from analytics.visit_forecast('2026-03-10', '2026-03-10') $$, 'A period of no days has no forecast.');
select is_empty(
  $$ select from analytics.visit_forecast(null, null, null, -1) $$, 'Of a doctor who is none there is nothing to say.'
);
select is(
  (select distinct f.data_as_of from analytics.visit_forecast() as f), timestamptz '2026-03-01 12:00Z', 'It says what it is from.'
);

-- A doctor: himself, and the department as a whole where its numbers are told him.
select tests.clear_authentication();
insert into places
select o.name, tests.doctor(p.department_id), p.department_id from places as p, (values ('eve'), ('fay')) as o (name) where p.name = 'dora';
insert into warehouse.dim_doctor (doctor_key, doctor_id, valid, name, specialization, department_id, is_active, practising_since)
select p.doctor_id, p.doctor_id, '(,)', p.name, 'Cardiology', p.department_id, true, '2010-01-01' from places as p where p.name in ('eve', 'fay');
insert into warehouse.dim_appointment_type (appointment_type_key, code, name, price) values (1, 'x', 'x', 1);
insert into warehouse.fact_appointments
  (appointment_id, patient_key, doctor_key, department_key, appointment_type_key, booked_on, starts_on, start_minute, status, booked_at, starts_at, planned_minutes, occupied_minutes, lead_days)
select row_number() over (), n.patient_key, p.doctor_id, p.department_id, 1, day, day, 600, 'completed', day, day, 30, 30, 0
from (values (date '2025-12-20'), ('2026-01-20'), ('2026-02-20')) as d (day)
cross join warehouse.dim_patient as n
join places as p on p.name = case when n.patient_key % 2 = 0 then 'eve' else 'fay' end;
delete from warehouse.fact_appointments as f where f.starts_on = '2026-01-20' and f.patient_key > 10;
refresh materialized view warehouse.mv_department_months;
select tests.authenticate_as('dora@example.test');
select is_empty(
  'select from analytics.visit_forecast()', 'A doctor is not told of a department of which few others were patients in one of the months,'
);
select tests.clear_authentication();
insert into warehouse.fact_appointments
  (appointment_id, patient_key, doctor_key, department_key, appointment_type_key, booked_on, starts_on, start_minute, status, booked_at, starts_at, planned_minutes, occupied_minutes, lead_days)
select 1000, 11, p.doctor_id, p.department_id, 1, day, day, 600, 'completed', day, day, 30, 30, 0
from places as p, (values (date '2026-01-21')) as d (day) where p.name = 'fay';
refresh materialized view warehouse.mv_department_months;
select tests.authenticate_as('dora@example.test');
select results_eq(
  $$ select distinct f.department_id, f.doctor_id from analytics.visit_forecast() as f $$,
  $$ select p.department_id, null::bigint from places as p where p.name = 'dora' $$,
  'but where there were enough of them in each,'
);
select is((select count(*) from pg_temp.forecast(null, null, null, 'dora')), 28::bigint, 'and of himself,');
select is((select count(*) from pg_temp.forecast(null, null, null, 'dan')), 0::bigint, 'but not of a colleague,');
select is((select count(*) from pg_temp.forecast(null, null, 'dirk', null)), 0::bigint, 'nor of another department.');
select tests.authenticate_as(r || '@example.test'),
  is((tests.failure('select analytics.visit_forecast()')).code, '42501', 'Not for ' || r || '.')
from unnest(array['ann', 'nurse', 'reception', 'pharmacist', 'laboratory', 'billing', 'analyst', 'auditor']) as r;
select tests.clear_authentication();

-- As the week before is the better guide, it says so: the last five weeks are all alike, and not as before.
delete from warehouse.fact_visits;
select pg_temp.visits('dora', day::date, case when date '2026-03-02' - day::date <= 35 then 9 else 1 end)
from generate_series(timestamp '2025-12-08', timestamp '2026-03-01', interval '1 day') as day;
refresh materialized view warehouse.mv_top_doctors;
select tests.authenticate_as('administrator@example.test');
select is(
  (select string_agg(f, '; ') from pg_temp.forecast(null, '2026-03-03', 'dora', null) as f),
  '2026-03-02 6.0 1..9 7.0/0.0 0.778 84 Of late the week before was the better forecast.',
  'It says when the plainest guess was better.'
);
select tests.clear_authentication();

-- Before the first load there is nothing, and no error.
delete from warehouse.view_states;
select tests.authenticate_as('administrator@example.test');
select is_empty('select from analytics.visit_forecast()', 'Before the first load nothing is expected.');
select tests.clear_authentication();
select * from finish();
rollback;

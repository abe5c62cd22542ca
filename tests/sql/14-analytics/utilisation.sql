-- How much of the doctors' time on duty is used, and that a change of the calendar is heard of.
begin;
select no_plan();
select tests.staff('administrator', null, 'admin@example.test');
create temporary table ward on commit drop as select tests.department(tests.facility('UTC')) as id;
-- Two doctors, Monday to Friday from 08 to 18.
create temporary table doctors on commit drop as
select n, tests.doctor(w.id, 'doctor' || n || '@example.test') as id from ward as w, generate_series(1, 2) as n;
grant select on ward, doctors to public;
select tests.appointment(d.id, starts_at => '2024-01-08 08:00Z', status => 'completed') from doctors as d;
select tests.appointment(d.id, starts_at => '2024-01-10 09:00Z', status => s)
from doctors as d, unnest('{completed,cancelled,no_show}'::text[]) as s where d.n = 1;

create function pg_temp.used(since date, until date, doctor bigint default null) returns numeric
language plpgsql
as $$
declare
  used numeric;
begin
  perform tests.load_warehouse();
  perform tests.authenticate_as('admin@example.test');
  select round(e.utilisation::numeric, 6) into used from analytics.department_efficiency($1, $2, (select w.id from ward as w), $3) as e;
  perform tests.clear_authentication();
  return used;
end;
$$;
select is(pg_temp.used('2024-01-08', '2024-01-15'), round(90 / 6000.0, 6), 'Three times half an hour, of two weeks of fifty hours.');
select is(pg_temp.used('2024-01-08', '2024-01-15', (select d.id from doctors as d where d.n = 1)), round(60 / 3000.0, 6), 'Of one doctor two, of one.');
select is(pg_temp.used('2024-01-10', '2024-01-11'), round(30 / 1200.0, 6), 'Of one day one, of two of ten hours.');
select is(pg_temp.used('2024-01-13', '2024-01-15'), null, 'Where nobody was on duty nothing is said.');
insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
select d.id, '2024-01-09', '2024-01-10', 'illness' from doctors as d;
select is(pg_temp.used('2024-01-08', '2024-01-15'), round(90 / 4800.0, 6), 'An absence that is entered later counts.');

-- It is an entry in the record of changes that tells, so that nothing else has to be looked through.
create temporary table before on commit drop as select s.refreshed_at from warehouse.view_states as s where s.view_name = 'mv_duty_hours';
update warehouse.table_states set changed_as_of = clock_timestamp() where table_name = 'fact_appointments';
select cmp_ok(warehouse.refresh_views(), '>', 1::bigint, 'Where appointments have changed, views are refreshed;');
select is(s.refreshed_at, b.refreshed_at, 'while nobody changes the calendar, it is not read again.')
from warehouse.view_states as s, before as b where s.view_name = 'mv_duty_hours';
select * from finish();
rollback;

-- What the checks found is kept in numbers and keys; an alert is raised when more is found than an administrator knows of.
begin;
select no_plan();
create temporary table who on commit drop as
select tests.staff('administrator', null, 'admin@example.test') as admin, tests.staff('reception', null, 'reception@example.test') as desk;
create function pg_temp.alerts() returns text
language sql
as $$
  select coalesce(string_agg(case when a.closed_at is null then 'open' else 'closed' end, ', ' order by a.id), 'none')
  from ops.alerts as a
  where a.kind = 'quality_patients_without_contact';
$$;
create function pg_temp.told() returns analytics.data_quality_row
language sql
as $$
  select q from analytics.data_quality() as q where q.check_name = 'patients_without_contact';
$$;

select is(ops.check_data_quality(), (select count(*) from ops.data_quality_checks), 'Every check is made.');
select is((select count(*) from ops.data_quality_results), (select count(*) from ops.data_quality_checks), 'Each leaves a result, also where nothing is wrong.');
select is((select sum(r.found) from ops.data_quality_results as r), 0::numeric, 'In an empty hospital there is nothing wrong,');
select is_empty($$ select from ops.alerts where kind ~ '^quality_' $$, 'and no alert.');

select tests.patient(null, 'Able' || n) from generate_series(1, 12) as n;
select ops.check_data_quality();
select is(pg_temp.alerts(), 'open', 'A check that found something raises an alert,');
select ops.check_data_quality();
select is(pg_temp.alerts(), 'open', 'one, however often it is asked.');
select is(
  (select q.sample_keys from ops.data_quality() as q where q.check_name = 'patients_without_contact'),
  array(select p.id from hospital.patients as p order by 1 desc limit 10), 'Ten keys are a sample.'
);

-- ### the administrator
select tests.authenticate_as('admin@example.test');
select is((pg_temp.told()).found, 12::bigint, 'He is told how many,');
select is((pg_temp.told()).found_before, 12::bigint, 'and how many there were before.');
select ok((pg_temp.told()).is_worse, 'It is more than he knows of.');
select is((pg_temp.told()).percent, 100::double precision, 'All of them.');
select results_eq(
  $$ select t.found from analytics.data_quality_trend(check_name => 'patients_without_contact') as t $$,
  array[12, 12, 0]::bigint[], 'He sees how it came, newest first.'
);
select is_empty($$ select from analytics.data_quality_trend(until_date => '2020-01-01') $$, 'Before that there was nothing.');
select is((analytics.acknowledge_data_quality('patients_without_contact')).is_worse, false, 'He says that he knows.');
select is((analytics.alerts()).closed_at is not null, true, 'The alert is closed at once.');
select throws_ok($$ select analytics.acknowledge_data_quality('nonsense') $$, 'NTFND', null, 'What is not asked cannot be known of.');
select is(tests.would_be('select from ops.data_quality_results'), '42501', 'The tables are not his to read.');
select tests.clear_authentication();
select is((select c.acknowledged_by = a.id from ops.data_quality_checks as c, hospital_private.accounts as a, who where c.name = 'patients_without_contact' and a.staff_member_id = admin), true, 'Who said so is on record.');

select ops.check_data_quality();
select is(pg_temp.alerts(), 'closed', 'As many as before are no news.');
select tests.patient(null, 'Baker');
select ops.check_data_quality();
select is(pg_temp.alerts(), 'closed, open', 'One more is.');
insert into hospital.contact_points (patient_id, kind, value) select p.id, 'phone', '+1 617 555 0100' from hospital.patients as p where p.family_name <> 'Baker';
select ops.check_data_quality();
select is(pg_temp.alerts(), 'closed, closed', 'Mended, the alert is closed,');
select is((select c.acknowledged_found from ops.data_quality_checks as c where c.name = 'patients_without_contact'), 1::bigint, 'and of what was known as much is forgotten.');
select tests.patient(null, 'Cole');
select ops.check_data_quality();
select is(pg_temp.alerts(), 'closed, closed, open', 'So what comes back is news again.');

update ops.data_quality_checks set severity = 'notice' where name = 'patients_without_contact';
select ops.check_data_quality();
select is(pg_temp.alerts(), 'closed, closed, closed', 'A notice raises no alert.');

-- ### others
select is(
  tests.constraint_of($$ insert into ops.data_quality_results (check_name, looked_at, found, sample_keys) values ('patients_without_contact', 3, 4, '{}') $$),
  'data_quality_results_found_were_looked_at', 'More cannot be found than was looked at.'
);
select is(
  tests.constraint_of($$ insert into ops.data_quality_results (check_name, looked_at, found, sample_keys) values ('patients_without_contact', 3, 2, '{1}') $$),
  'data_quality_results_sample_small', 'A sample is neither more nor less than promised.'
);
select tests.authenticate_as('reception@example.test');
select is(tests.would_be(statement), '42501', 'Nobody else asks: ' || statement)
from unnest(array[
  'select * from analytics.data_quality()', 'select * from analytics.data_quality_trend()',
  'select analytics.acknowledge_data_quality(''patients_without_contact'')', 'select ops.check_data_quality()', 'select from ops.quality_patients_without_contact'
]) as statement;
select tests.clear_authentication();
set local role hospital_monitor;
select is(tests.would_be(statement), '42501', 'Who watches is told that something became worse, and not which rows: ' || statement)
from unnest(array['select from ops.quality_patients_without_contact', 'select from ops.data_quality_results']) as statement;
select lives_ok('select * from ops.open_quality_alerts()', 'He is told that.');
reset role;
set local role hospital_worker;
select lives_ok('select ops.check_data_quality()', 'The worker may ask,');
select is(tests.would_be('select from ops.data_quality_results'), '42501', 'and read nothing of it.');
reset role;

select * from finish();
rollback;

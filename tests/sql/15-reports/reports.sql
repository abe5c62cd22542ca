-- Each report is what its reader could read anyway, and the functions behind it are no way around.
begin;
select no_plan();
select tests.world();
-- A month in which Ann was Dora's patient and Bob Dirk's, long enough ago to be over.
create temporary table old on commit drop as
select p.name, p.id as patient, d.id as doctor
from tests.people as p
join tests.people as d on d.name = case p.name when 'ann' then 'dora' else 'dirk' end
where p.name in ('ann', 'bob');
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
select patient, doctor, tests.type_id(), '2025-03-10 15:00Z', 'completed' from old;
insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at)
select patient, doctor, tests.type_id(), '2025-03-11 15:00Z', 'lapsed', '2025-03-01Z' from old;
insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
select a.id, a.patient_id, a.doctor_id, a.starts_at, a.ends_at
from hospital.appointments as a where a.starts_at = '2025-03-10 15:00Z';
insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
select v.id, v.patient_id, tests.diagnosis_code(), 1 from hospital.visits as v where v.started_at = '2025-03-10 15:00Z';
select tests.treatment(v.id, 70) from hospital.visits as v where v.started_at = '2025-03-10 15:00Z';
grant select on old to public;

create function pg_temp.march(report text, extra text default '') returns text language sql as
$$ select format('select r.* from hospital_private.report_%s(''2025-03-01'', ''2025-04-01''%s) as r', report, extra) $$;

-- ### nobody, with the role of somebody
select set_config('role', 'hospital_administrator', true);
select is_empty(pg_temp.march('appointments'), 'A role without a session reads no appointments');
select is_empty(pg_temp.march('billing'), 'no charges');
select is_empty($$ select * from hospital_private.treatment_charges('2025-03-01', '2025-04-01') $$, 'no costs');
select throws_ok('select * from hospital_private.report_heading()', 'UNAUT', null, 'and is told to log in.');
select throws_ok('select * from hospital_private.kept_reports()', 'UNAUT', null, 'Nor does it see what is kept.');

-- ### administrator
select tests.authenticate_as('administrator@example.test');
select results_eq(
  $$ select count(*), count(record_number) from hospital_private.report_appointments('2025-03-01', '2025-04-01') $$,
  'values (2::bigint, 2::bigint)', 'An administrator sees all, without times that were only held.'
);
select throws_ok(pg_temp.march('diagnoses'), '42501', null, 'But nothing clinical.');
select throws_ok(pg_temp.march('treatments'), '42501', null, 'Not by treatments either.');
select results_eq(
  $$ select treatments from hospital_private.report_billing('2025-03-01', '2025-04-01') $$, 'values (70.00), (70.00)',
  'What was charged he does.'
);
select throws_ok(pg_temp.march('accesses'), '42501', null, 'And not who opened charts.');
select throws_ok('select * from ops.reports', '42501', null, 'Kept reports only through the functions.');
select throws_ok($$ select hospital_private.kept_report_content('billing', '2025-03-01', 'pdf') $$, 'NTFND', null, 'One that is not there is not there.');
select is(
  (select sum(f.figure) from hospital_private.report_appointments_figures('2025-03-01', '2025-04-01') as f where f.style = 'line'),
  2::numeric, 'The line adds up to the rows'
);
select is(
  (select count(*) from hospital_private.report_appointments_figures('2025-03-01', '2025-04-01') as f where f.style = 'line'),
  31::bigint, 'and has a point for every day, also those that had nothing'
);
select is(
  (select count(*) from hospital_private.report_appointments_figures('2025-01-15', '2025-12-15') as f where f.style = 'line'),
  12::bigint, 'or for every month of a longer period.'
);
select is(
  (select h.asked_by from hospital_private.report_heading() as h) ~ '^Sam .*, administrator$', true, 'The first page says who asked.'
);
select throws_ok('select * from hospital_private.report_heading(-1)', 'NTFND', null, 'A department that is none is refused.');

-- ### periods
select throws_ok(format('select * from hospital_private.report_appointments(%s, %s)', f, u), 'PERIO', null, format('From %s until %s is no period.', f, u))
from (values
  ('null', '''2025-04-01'''), ('''2025-03-01''', 'null'), ('''2025-03-01''', '''2025-03-01'''), ('''2025-03-02''', '''2025-03-01'''),
  ('''2025-01-01''', '''2026-01-03'''), ('''-infinity''', '''2025-03-01'''), ('''2025-03-01''', '''infinity''')
) as p (f, u);
select lives_ok($$ select * from hospital_private.report_appointments('2025-01-01', '2026-01-02') $$, 'A leap year fits.');

-- ### doctor
select tests.authenticate_as('dora@example.test');
select is(
  array(select record_number from hospital_private.report_appointments('2025-03-01', '2025-04-01')),
  array(select p.mrn from hospital.patients as p join old on old.patient = p.id and old.name = 'ann'),
  'A doctor sees the own appointments.'
);
select is_empty(
  $$ select * from hospital_private.report_appointments('2025-03-01', '2025-04-01',
    (select max(a.department_id) + 1 from hospital.appointments as a)) $$, 'A colleague''s department shows her nothing.'
);
select throws_ok(pg_temp.march('billing'), '42501', null, 'Charges are not hers to see.');
select throws_ok(pg_temp.march('diagnoses'), 'NOPEN', null, 'Without an open chart there is no clinical report.');
select throws_ok(pg_temp.march('treatments_figures'), 'NOPEN', null, 'And no chart of one.');
select hospital.open_chart((select patient from old where name = 'ann'), 'treatment');
select is(
  array(select code || record_number from hospital_private.report_diagnoses('2025-03-01', '2025-04-01')),
  array(select 'I10' || p.mrn from hospital.patients as p join old on old.patient = p.id and old.name = 'ann'),
  'Then it is of that chart.'
);
select results_eq($$ select cost from hospital_private.report_treatments('2025-03-01', '2025-04-01') $$, 'values (70.00)', 'So are treatments.');

-- ### patient
select tests.authenticate_as('bob@example.test');
select results_eq($$ select count(*) from hospital_private.report_diagnoses('2025-03-01', '2025-04-01') $$, 'values (1::bigint)', 'A patient''s own record is open to him.');
select is(
  array(select record_number from hospital_private.report_appointments('2025-03-01', '2025-04-01')),
  array(select p.mrn from hospital.patients as p join old on old.patient = p.id and old.name = 'bob'), 'And his alone.'
);
select throws_ok($$ select hospital_private.kept_report_content('billing', '2025-03-01', 'pdf') $$, '42501', null, 'The house''s reports are not for him.');

-- ### auditor
select tests.authenticate_as('auditor@example.test');
select throws_ok(
  $$ select * from hospital_private.report_accesses('2025-03-01', '2025-04-01') $$, 'NOPEN', null, 'The audit tells nothing before it is told why.'
);
select hospital.open_audit('Yearly review of accesses.');
select results_eq(
  $$ select count(*) from hospital_private.report_accesses((now() - interval '1 day')::date, (now() + interval '2 days')::date) $$,
  $$ select count(*) from hospital.audited_chart_accesses(opened_from => ((now() - interval '1 day')::date)::timestamp at time zone 'UTC') $$,
  'Then it tells all.'
);
select throws_ok(pg_temp.march('accesses', ', 1'), 'PERIO', null, 'It does not know departments, and says so.');

-- ### the worker
select tests.clear_authentication();
select set_config('role', 'hospital_worker', true);
select throws_ok(pg_temp.march('appointments'), '42501', null, 'The worker reads totals only.');
select throws_ok('select * from ops.reports', '42501', null, 'He hands files in');
select throws_ok($$ select hospital_private.kept_report_content('billing', '2025-03-01', 'pdf') $$, '42501', null, 'and never sees them again.');
select throws_ok($$ select ops.keep_report('billing', '2025-03-02', 'pdf', 'x') $$, '23514', null, 'A month begins on its first day.');
select throws_ok($$ select ops.keep_report('../x', '2025-03-01', 'pdf', 'x') $$, '23514', null, 'A name is plain.');
select throws_ok($$ select ops.keep_report('billing', '2025-03-01', 'html', 'x') $$, '23514', null, 'A format is known.');
select throws_ok(
  $$ select ops.keep_report('billing', '2025-03-01', 'pdf', convert_to(repeat('x', 5000001), 'UTF8')) $$, '23514', null, 'A file is no archive.'
);
select is(ops.keep_report('billing', date_trunc('month', now())::date, 'pdf', 'first'), 1::bigint, 'One is kept');
select is(ops.keep_report('billing', date_trunc('month', now())::date, 'pdf', 'second'), 0::bigint, 'once');
select tests.clear_authentication();
select is(array(select convert_from(content, 'UTF8') from ops.reports), array['first'], 'and stays what it was.');
select * from finish();
rollback;

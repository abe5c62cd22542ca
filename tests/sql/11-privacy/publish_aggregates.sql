-- What is published, when, and that it stays.
begin;
select no_plan();
create temporary table departments on commit drop as
select
  n as name,
  tests.doctor(tests.department(tests.facility('Pacific/Auckland'))) as doctor
from unnest('{Large, Small, Other}'::text[]) as n;
update hospital.departments as d
set name = n.name
from departments as n
join hospital.doctors as o
  on o.id = n.doctor
join hospital.staff_members as m
  on m.id = o.staff_member_id
where d.id = m.department_id;

create function pg_temp.appointments(department text, status text, persons integer, each integer, day date)
returns void
language sql
as $$
  select tests.appointment(d.doctor, p.id, tests.local_instant(d.doctor, $5 + time '08:00'), status => $2)
  from departments as d
  cross join lateral (select tests.patient() as id from generate_series(1, $3)) as p
  cross join generate_series(1, $4)
  where d.name = $1;
$$;
select pg_temp.appointments('Large', 'completed', 20, 1, '2024-03-31');
select pg_temp.appointments('Large', 'cancelled', 12, 1, '2024-03-31');
select pg_temp.appointments('Small', 'completed', 3, 1, '2024-03-31');
select pg_temp.appointments('Small', 'cancelled', 15, 1, '2024-03-31');
select pg_temp.appointments('Other', 'completed', 30, 1, '2024-03-31');
select pg_temp.appointments('Other', 'cancelled', 2, 10, '2024-03-31');
-- By the clocks of the facility this is April; and this is not over yet.
select pg_temp.appointments('Large', 'completed', 11, 1, '2024-04-01');
select pg_temp.appointments('Large', 'completed', 11, 1, (date_trunc('month', now()) - interval '1 day')::date);
update hospital_private.masking_settings set closing_days = 40;

select is(ops.publish_aggregates(), 16::bigint, 'What is over is published, cell by cell.');
select results_eq(
  $$ select p.month::text, p.department, p.status, p.appointments::integer from masked.published_appointments as p
    order by p.month, p.department nulls last, p.status nulls last $$,
  $$ values
    ('2024-03-01', 'Large', 'cancelled', 12), ('2024-03-01', 'Large', 'completed', 20), ('2024-03-01', 'Large', null, 32),
    ('2024-03-01', 'Other', 'cancelled', null), ('2024-03-01', 'Other', 'completed', null), ('2024-03-01', 'Other', null, 50),
    ('2024-03-01', 'Small', 'cancelled', null), ('2024-03-01', 'Small', 'completed', null), ('2024-03-01', 'Small', null, 18),
    ('2024-03-01', null, 'cancelled', 47), ('2024-03-01', null, 'completed', 53), ('2024-03-01', null, null, 100),
    ('2024-04-01', 'Large', 'completed', 11), ('2024-04-01', 'Large', null, 11), ('2024-04-01', null, 'completed', 11),
    ('2024-04-01', null, null, 11)
  $$,
  'Cells of fewer than 11 persons are kept back, however many appointments they had, and so are others that would betray them.'
);
select results_eq(
  'select p.report, p.period_start::text, p.smallest_cell from masked.publications as p order by 2',
  $$ values ('appointments', '2024-03-01', 11), ('appointments', '2024-04-01', 11) $$,
  'Each period is on record with the rule in force; what is not over, or is too fresh, is not published.'
);

-- ### Once and for all
select is(ops.publish_aggregates(), 0::bigint, 'Again, and there is nothing to do.');
select pg_temp.appointments('Small', 'completed', 9, 1, '2024-03-31');
update hospital_private.masking_settings set smallest_cell = 2;
select is(ops.publish_aggregates(), 0::bigint, 'What is recorded later changes nothing that was published, nor does another rule.');
select is(p.appointments, 100::bigint, 'So two versions that differ by a few persons never exist.')
from masked.published_appointments as p
where p.month = '2024-03-01' and p.department is null and p.status is null;
select is(
  tests.constraint_of($$ insert into masked.publications (report, period_start, period_end, smallest_cell) values ('appointments', '2024-03-01', '2024-04-01', 2) $$),
  'publications_pkey', 'Not even by hand.'
);
update hospital_private.masking_settings set smallest_cell = 11;

-- ### Diagnoses
create function pg_temp.diagnosed(persons integer, code text, sex text, born date) returns void
language plpgsql
as $$
declare
  patient bigint;
  visit bigint;
begin
  for n in 1 .. $1 loop
    patient := tests.patient();
    update hospital.patients as p set sex = $3, date_of_birth = $4 where p.id = patient;
    visit := tests.visit(tests.appointment(
      (select d.doctor from departments as d where d.name = 'Large'), patient, '2022-06-01 00:00Z', status => 'completed'
    ));
    update hospital.visits set started_at = '2022-06-01 00:00Z', ended_at = '2022-06-01 00:10Z' where id = visit;
    insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
    values (visit, patient, tests.diagnosis_code($2), 1);
  end loop;
end;
$$;
select pg_temp.diagnosed(14, 'I10', 'female', '1927-01-01');
select pg_temp.diagnosed(13, 'I25.10', 'female', '1932-12-31');
select pg_temp.diagnosed(12, 'I10', 'male', '1980-01-01');
select pg_temp.diagnosed(12, 'J45', 'male', '1980-01-01');
update hospital.visit_diagnoses set voided_at = now(), void_reason = 'mistaken'
where id = (select min(d.id) from hospital.visit_diagnoses as d join hospital.diagnosis_codes as c on c.id = d.diagnosis_code_id where c.code = 'J45');
select hospital_private.publish_diagnoses(2022);
select results_eq(
  $$ select p.chapter, p.sex, p.age_band, p.diagnoses::integer from masked.published_diagnoses as p order by 1 nulls last, 2 nulls last, 3 $$,
  $$ values
    ('Circulatory system', 'female', '90+', 27), ('Circulatory system', 'male', '40-49', 12), ('Circulatory system', null, null, 39),
    ('Respiratory system', 'male', '40-49', 11), ('Respiratory system', null, null, 11),
    (null, 'female', '90+', 27), (null, 'male', '40-49', 23), (null, null, null, 50)
  $$,
  'Diagnoses are counted by chapter, sex and the age reached in the year, all from 90 together, without those in error.'
);
select is(hospital_private.publish_diagnoses(2022), 0::bigint, 'They, too, are published once.');
select is(hospital_private.publish_diagnoses(2019), 0::bigint, 'A year without any is not published.');
select is(count(*), 0::bigint, 'So that it can be when its data come.') from masked.publications where period_start = '2019-01-01';
select * from finish();
rollback;

-- How treatments turned out: reckoned by hand, and told to each as far as it gives nobody away.
begin;
select no_plan();
select tests.world(with_colleague => true);
update hospital_private.masking_settings set smallest_cell = 2;
create temporary table places on commit drop as
select p.name, p.id as doctor_id, m.department_id
from tests.people as p
join hospital.doctors as d on d.id = p.id
join hospital.staff_members as m on m.id = d.staff_member_id
where p.name in ('dora', 'dan', 'dirk');
insert into places select 'eve', tests.doctor(p.department_id), p.department_id from places as p where p.name = 'dora';
grant select on places to public;
insert into warehouse.dim_patient (patient_key, patient_id, person_id, valid, sex, birth_year, is_active)
select n, -n, -n, '(,)', 'female', 1980, true from generate_series(1, 9) as n;
insert into warehouse.dim_department (department_key, department_id, valid, name, facility_id, is_active)
select distinct on (p.department_id) p.department_id, p.department_id, '(,)'::tstzrange, d.name, d.facility_id, true
from places as p join hospital.departments as d on d.id = p.department_id;
insert into warehouse.dim_doctor (doctor_key, doctor_id, valid, name, specialization, department_id, is_active, practising_since)
select p.doctor_id, p.doctor_id, '(,)', p.name, 'Cardiology', p.department_id, true, '2010-01-01' from places as p;
create function pg_temp.treated(doctor text, patient bigint, type text, day date, cost numeric, outcome text, minutes integer) returns void
language sql
as $$
  insert into warehouse.fact_treatments
    (treatment_id, visit_id, patient_key, doctor_key, department_key, treatment_type, treated_on, duration_minutes, cost, outcome)
  select n, n, $2, p.doctor_id, p.department_id, $3, $4, $7, $5, $6
  from places as p, (select count(*) + 1 as n from warehouse.fact_treatments) as t
  where p.name = $1;
$$;
-- In January Dora treated two, Dan and Eve one each. In February Dora treated one.
select pg_temp.treated(t.doctor, t.patient, 'Dressing', t.day::date, t.cost, t.outcome, t.minutes)
from (values
  ('dora', 1, '2026-01-01', 100, 'resolved', 10), ('dora', 2, '2026-01-31', 50, 'improved', 20), ('dora', 2, '2026-01-31', 50, null, null),
  ('dan', 3, '2026-01-15', 20, 'complication', 60), ('eve', 4, '2026-01-15', 30, 'not_assessed', 30),
  ('dora', 1, '2026-02-01', 1000, 'worsened', 5),
  ('dirk', 5, '2026-01-10', 8, 'unchanged', 10), ('dirk', 6, '2026-01-10', 9, 'unchanged', 10)
) as t (doctor, patient, day, cost, outcome, minutes);
-- And a treatment that one had, and that Dirk gave to a second one elsewhere.
select pg_temp.treated(t.doctor, t.patient, 'Rare', '2026-01-05', 7, 'resolved', 5) from (values ('dora', 1), ('dirk', 5)) as t (doctor, patient);
select pg_temp.treated('dirk', 6, 'Rarest', '2026-01-05', 7, 'resolved', 5);
refresh materialized view warehouse.mv_clinical_cells;
refresh materialized view warehouse.mv_treatment_outcomes;
insert into warehouse.view_states (view_name, filled_from, refreshed_at, data_as_of)
values ('mv_treatment_outcomes', '', now(), '2026-03-01 12:00Z');

create function pg_temp.outcomes(from_date date, until_date date, department text, doctor text) returns text
language sql
as $$
  select string_agg(
    concat_ws(
      ' ', t.treatment_type, t.treatments, t.assessed_share,
      concat_ws('/', t.resolved_share, t.improved_share, t.unchanged_share, t.worsened_share, t.complication_share),
      t.total_cost, t.average_cost, t.average_minutes
    ),
    '; '
  )
  from analytics.treatment_outcomes(
    $1, $2, (select p.department_id from places as p where p.name = $3), (select p.doctor_id from places as p where p.name = $4)
  ) as t;
$$;

select tests.authenticate_as('dora@example.test');
select is(
  pg_temp.outcomes(null, null, null, 'dora'),
  'Dressing 4 0.7500 0.3333/0.3333/0.0000/0.3333/0.0000 1200.00 300.00 11.7; Rare 1 1.0000 1.0000/0.0000/0.0000/0.0000/0.0000 7.00 7.00 5.0',
  'A doctor reads all of his own, single patients too: he treated them.'
);
select is(
  pg_temp.outcomes('2026-02-01', null, null, 'dora'),
  'Dressing 1 1.0000 0.0000/0.0000/0.0000/1.0000/0.0000 1000.00 1000.00 5.0',
  'Months are those that begin in the period.'
);
select is(pg_temp.outcomes('2026-01-02', '2026-02-01', null, 'dora'), null, 'One that has begun before does not.');
select is(pg_temp.outcomes('2026-02-01', null, 'dirk', 'dora'), null, 'Of another department only what he did there.');
select is(
  pg_temp.outcomes(null, null, null, null),
  'Dressing 5 0.6000 0.3333/0.3333/0.0000/0.0000/0.3333 250.00 50.00 30.0',
  'Of his department he reads January, when two colleagues treated two others; neither February nor what was his alone.'
);
select is(pg_temp.outcomes(null, null, 'dora', null), pg_temp.outcomes(null, null, null, null), 'Also when he names it.');
select is(pg_temp.outcomes(null, null, 'dirk', null), null, 'No other department.');
select is(pg_temp.outcomes(null, null, null, 'dan'), null, 'No colleague.');
select is(pg_temp.outcomes(null, null, 'dirk', 'dirk'), null, 'Not even both together.');

select tests.authenticate_as('administrator@example.test');
select is(
  pg_temp.outcomes(null, null, null, null),
  'Dressing 7 0.7143 0.2000/0.2000/0.4000/0.0000/0.2000 267.00 38.14 23.3; Rare 2 1.0000 1.0000/0.0000/0.0000/0.0000/0.0000 14.00 7.00 5.0',
  'An administrator reads what enough patients had: not February, when Dora treated one, nor what Dirk gave to one.'
);
select is(
  pg_temp.outcomes(null, null, 'dora', null),
  'Dressing 5 0.6000 0.3333/0.3333/0.0000/0.0000/0.3333 250.00 50.00 30.0',
  'Of a department what enough of its patients had.'
);
select is(
  pg_temp.outcomes('2026-01-01', '2026-02-01', null, 'dora'),
  'Dressing 3 0.6667 0.5000/0.5000/0.0000/0.0000/0.0000 200.00 66.67 15.0',
  'Of a doctor as well, since the two others together are enough.'
);
select is(pg_temp.outcomes(null, null, null, 'dan'), null, 'Of Dan, who treated one, nothing.');
select is((select distinct t.data_as_of from analytics.treatment_outcomes() as t), timestamptz '2026-03-01 12:00Z', 'It says what it is from.');

-- Who may not ask.
select tests.authenticate_as(r || '@example.test'),
  is((tests.failure('select analytics.treatment_outcomes()')).code, '42501', 'Not for ' || r || '.')
from unnest(array['ann', 'nurse', 'reception', 'pharmacist', 'laboratory', 'billing', 'analyst', 'auditor']) as r;
select tests.clear_authentication();
select * from finish();
rollback;

-- Which symptoms and treatments may be told: no number, and no difference of numbers, is of few patients.
begin;
select no_plan();
update hospital_private.masking_settings set smallest_cell = 3;

-- Facts by hand: four departments with three doctors each, forty patients, three symptoms and a treatment, for two years.
insert into warehouse.dim_patient (patient_key, patient_id, person_id, valid, sex, birth_year, is_active)
-- Two records of one person are one patient.
select n, -n, -least(n, 39), '(,)', 'female', 1980, true from generate_series(1, 40) as n;
insert into warehouse.dim_department (department_key, department_id, valid, name, facility_id, is_active)
select n, n, '(,)', 'Department ' || n, 1, true from generate_series(1, 4) as n;
insert into warehouse.dim_doctor (doctor_key, doctor_id, valid, name, specialization, department_id, is_active, practising_since)
select n, n, '(,)', 'Doctor ' || n, 'Cardiology', 1 + n % 4, true, '2010-01-01' from generate_series(1, 12) as n;
select setseed(0.5);
insert into warehouse.fact_symptoms (clinical_note_id, visit_id, patient_key, doctor_key, department_key, noted_on, symptoms)
select
  n, n, 1 + floor(random() * 40)::bigint, 1 + d, 1 + (1 + d) % 4, date '2020-01-01' + floor(random() * 700)::integer,
  case floor(random() * 4) when 0 then array['cough'] when 1 then array['cough', 'fever'] when 2 then array['fever'] else array['rash'] end
from generate_series(1, 900) as n
-- Some departments and doctors have few, some many.
cross join lateral (select floor(random() * random() * 12 + n * 0)::bigint as d) as r;
insert into warehouse.fact_treatments (treatment_id, visit_id, patient_key, doctor_key, department_key, treatment_type, treated_on, cost)
select f.clinical_note_id, f.visit_id, f.patient_key, f.doctor_key, f.department_key, 'Dressing', f.noted_on, 10
from warehouse.fact_symptoms as f;
insert into warehouse.fact_symptoms (clinical_note_id, visit_id, patient_key, doctor_key, department_key, noted_on, symptoms)
values (9001, 9001, 1, 1, 2, '2020-01-01', '{ann able of elm street}');
refresh materialized view warehouse.mv_clinical_cells;

-- The same rows once more, to reckon with.
create temporary table events on commit drop as
select 'symptom' as kind, s.symptom as item, date_trunc('month', f.noted_on::timestamp)::date as month, f.department_key, f.doctor_key, least(f.patient_key, 39) as person, f.visit_id
from warehouse.fact_symptoms as f cross join lateral unnest(f.symptoms) as s (symptom)
union all
select 'treatment', f.treatment_type, date_trunc('month', f.treated_on::timestamp), f.department_key, f.doctor_key, least(f.patient_key, 39), f.visit_id
from warehouse.fact_treatments as f;

select is(
  count(*) filter (where c.is_told), count(*),
  'Each number is that of its rows, and what is told is of three patients at least.'
)
from warehouse.mv_clinical_cells as c
cross join lateral (
  select count(distinct e.person) as patients, count(distinct e.visit_id) as visits, count(distinct e.doctor_key) as doctors
  from events as e
  where e.kind = c.kind and e.item = c.item and e.month = c.month
    and c.department_id in (0, e.department_key) and c.doctor_id in (0, e.doctor_key)
) as f
where (c.patients, c.visits, c.doctors) <> (f.patients, f.visits, f.doctors) or c.is_told and f.patients < 3;
select ok(
  bool_or(c.is_told) and bool_or(not c.is_told and c.patients >= 3) and bool_or(c.patients < 3),
  format('Of %s cells some are told, some are too small, and some are kept back to protect those.', l.level)
)
from warehouse.mv_clinical_cells as c
cross join lateral (
  select case when c.doctor_id <> 0 then 'a doctor''s' when c.department_id <> 0 then 'a department''s' else 'the hospital''s' end as level
) as l
where c.department_id <> 0
group by l.level;

-- What is left of a number when the parts that are told are taken from it.
select is_empty(
  $$
    select whole.item, whole.month
    from warehouse.mv_clinical_cells as whole
    join events as e on e.kind = whole.kind and e.item = whole.item and e.month = whole.month
    where whole.department_id = 0 and whole.is_told
      and not exists (
        select from warehouse.mv_clinical_cells as part
        where part.kind = whole.kind and part.item = whole.item and part.month = whole.month
          and part.department_id = e.department_key and part.doctor_id = 0 and part.is_told
      )
    group by whole.kind, whole.item, whole.month
    having count(distinct e.person) < 3
  $$,
  'The hospital''s number less all departments'' that are told is of nobody or of three at least.'
);
select is_empty(
  $$
    select whole.item, whole.month, whole.department_id
    from warehouse.mv_clinical_cells as whole
    join events as e on e.kind = whole.kind and e.item = whole.item and e.month = whole.month and e.department_key = whole.department_id
    where whole.doctor_id = 0 and whole.is_told
      and not exists (
        select from warehouse.mv_clinical_cells as part
        where part.kind = whole.kind and part.item = whole.item and part.month = whole.month
          and part.department_id = e.department_key and part.doctor_id = e.doctor_key and part.is_told
      )
    group by whole.kind, whole.item, whole.month, whole.department_id
    having count(distinct e.person) < 3
  $$,
  'So is a department''s less all its doctors'' that are told.'
);
select is_empty(
  $$
    select from warehouse.mv_clinical_cells as part
    where part.doctor_id <> 0 and part.is_told and not exists (
      select from warehouse.mv_clinical_cells as whole
      where whole.kind = part.kind and whole.item = part.item and whole.month = part.month
        and whole.department_id = part.department_id and whole.doctor_id = 0 and whole.is_told
    )
  $$,
  'And no doctor is told in a department that is not, so that one cannot be reckoned past the other.'
);
select is_empty(
  $$ select from warehouse.mv_clinical_cells as c where c.item ~ 'elm street' $$,
  'What one patient''s note says does not even come into the view.'
);

-- A doctor of his department.
create function pg_temp.told(doctor bigint) returns setof warehouse.clinical_cell
language sql
as $$
  select c.*
  from warehouse.told_cells(row(false, $1, 1 + $1 % 4, 3)::warehouse.reader, 'symptom', null, null, null, null) as c;
$$;
select is_empty(
  $$
    select d, c.item, c.month
    from generate_series(1, 12) as d
    cross join lateral pg_temp.told(d) as c
    join events as e on e.kind = 'symptom' and e.item = c.item and e.month = c.month and e.department_key = c.department_id
    left join events as own
      on own.kind = 'symptom' and own.item = c.item and own.month = c.month and own.department_key = c.department_id
      and own.doctor_key = d and own.person = e.person
    group by d, c.item, c.month
    having count(distinct e.person) filter (where own.kind is null) < 3
      or count(distinct e.doctor_key) filter (where e.doctor_key <> d) < 2
  $$,
  'A doctor''s department less his own patients is of three others at least, of two colleagues at least.'
);
select ok(count(*) > 10, 'And he is told something.') from generate_series(1, 12) as d cross join lateral pg_temp.told(d);
select is_empty(
  $$ select from generate_series(1, 12) as d cross join lateral pg_temp.told(d) as c where (c.department_id, c.doctor_id) <> (1 + d % 4, 0) $$,
  'Nothing of another department, and of no colleague.'
);
select is_empty(
  format('select from warehouse.told_cells(row(false, 1, 2, 3)::warehouse.reader, ''symptom'', null, null, %s, %s)', p.department, p.doctor),
  format('Nor when he asks for department %s and doctor %s.', p.department, p.doctor)
)
from (values ('3', 'null'), ('2', '5'), ('null', '5'), ('3', '2'), ('0', 'null')) as p (department, doctor);

-- A stricter rule holds at once, a milder one when the views are filled again.
create function pg_temp.all_told() returns bigint
language sql
as $$ select count(*) from warehouse.told_cells(row(true, null, null, null)::warehouse.reader, 'symptom', null, null, null, null); $$;
select ok(pg_temp.all_told() > 0, 'An administrator is told something,');
update hospital_private.masking_settings set smallest_cell = 4;
select is(pg_temp.all_told(), 0::bigint, 'and nothing by a rule that is no longer in force.');
refresh materialized view warehouse.mv_clinical_cells;
select ok(pg_temp.all_told() > 0, 'By the new rule he is told again.');
select * from finish();
rollback;

-- The Charlson index, reckoned by hand: what each code means, and which of a person's entries count.
begin;
select no_plan();

-- ### The code list
select results_eq(
  $$ select c.code, c.weight::integer, count(*)::integer
    from hospital_private.comorbidities as c
    join hospital_private.comorbidity_codes as x on x.comorbidity = c.code
    group by c.code order by c.code $$,
  -- Counted in table 1 of the paper, ranges such as C00 to C26 spelt out.
  $$ values
    ('cerebrovascular', 1, 13), ('dementia', 1, 7), ('diabetes', 1, 25), ('diabetes_complicated', 2, 25),
    ('heart_failure', 1, 14), ('hiv', 6, 4), ('liver_mild', 1, 19), ('liver_severe', 3, 11),
    ('malignancy', 2, 83), ('metastatic_tumor', 6, 4), ('myocardial_infarction', 1, 3), ('peptic_ulcer', 1, 4),
    ('peripheral_vascular', 1, 13), ('plegia', 2, 12), ('pulmonary', 1, 21), ('renal', 2, 22), ('rheumatic', 1, 9)
  $$,
  'Seventeen comorbidities with the weights of 1987 and the codes of 2005.'
);

-- ### What codes mean
create temporary table cases (codes text, former text, expected text, score integer, title text) on commit drop;
insert into cases values
  ('I21.4', '', 'myocardial_infarction', 1, 'a category means every code in it'),
  ('I25.2', '', 'myocardial_infarction', 1, 'a subcategory means itself'),
  ('I25.10', '', '', 0, 'and no other of its category: coronary disease is no infarction'),
  ('I25.5 I42.0 I42.1', '', 'heart_failure', 1, 'two codes of one comorbidity count once, and one that is not listed does not'),
  ('E11.65', '', 'diabetes', 1, 'the sixth character changes nothing: hyperglycemia is no chronic complication'),
  ('E11.22', '', 'diabetes_complicated', 2, 'a complication is read from the fourth character'),
  ('E11.9 E11.22', '', 'diabetes_complicated', 2, 'diabetes counts once, as the graver'),
  ('E10.9 E11.42', '', 'diabetes_complicated', 2, 'of whichever type'),
  ('K70.30 K72.10', '', 'liver_severe', 3, 'so does the liver'),
  ('C61 C79.51', '', 'metastatic_tumor', 6, 'a tumor that has spread counts as that alone'),
  ('C44.91 D05.10', '', '', 0, 'skin and what is in place do not count'),
  ('C61', '', 'malignancy', 2, 'a code of three characters is whole'),
  ('B20 C46.9', '', 'hiv malignancy', 8, 'what is not two degrees of one thing adds up'),
  ('I10 Z00.00 J02.9', '', '', 0, 'most codes mean nothing here'),
  ('N18.30 I50.22 J44.9 E11.22', '', 'diabetes_complicated renal heart_failure pulmonary', 6, 'a patient of sixty with four'),
  ('', '', '', 0, 'nobody has nothing'),
  ('', 'I21.9 I63.9 K25.4', 'cerebrovascular myocardial_infarction peptic_ulcer', 3, 'infarction, stroke and ulcer count when they are over'),
  ('', 'J44.9 C61 K72.10 E11.9', '', 0, 'nothing else does'),
  ('E11.9', 'E11.22', 'diabetes', 1, 'and what is over supersedes nothing'),
  ('I2 I', '', '', 0, 'what is no code means nothing');
select is(
  (
    select row(string_agg(c.code, ' '), coalesce(sum(c.weight), 0)::integer)::text
    from hospital_private.comorbidities_of(
      array_remove(string_to_array(k.codes, ' '), ''), array_remove(string_to_array(k.former, ' '), '')
    ) as c
  ),
  row(nullif(k.expected, ''), k.score)::text,
  'Codes: ' || k.title
) from cases as k;
select is(count(*), 17::bigint, 'Each comorbidity can be reached, those that are superseded alone.')
from (
  select distinct c.code
  from hospital_private.comorbidity_codes as x
  cross join lateral hospital_private.comorbidities_of(array[x.prefix]) as c
) as reached;

-- ### Which entries of a person count
select tests.world();
create function pg_temp.has(person text, code text, onset_on date, abated_on date default null, void_reason text default null)
returns void
language sql
as $$
  insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on, abated_on, void_reason, voided_at)
  values (tests.id_of($1), tests.diagnosis_code($2), $3, $4, $5, case when $5 is not null then now() end);
$$;
update hospital.patients as p set date_of_birth = '1956-06-15' where p.id = tests.id_of('ann');
select pg_temp.has('ann', 'I50.9', '2015-01-01');
select pg_temp.has('ann', 'J44.9', '2016-01-01', '2018-06-30');
select pg_temp.has('ann', 'I21.9', '2017-03-01', '2017-05-01');
select pg_temp.has('ann', 'B20', '2017-01-01', null, 'Mistaken');
insert into hospital.diagnosis_codes (system, code, description) values ('snomed', '363346000', 'Malignant neoplastic disease');
insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on)
select tests.id_of('ann'), c.id, '2015-01-01' from hospital.diagnosis_codes as c where c.code = '363346000';
select pg_temp.has('bob', 'C61', '2015-01-01');
-- At Ann's visit of the world: one diagnosis that stands, one that was withdrawn, one that had ended by then and one that ended since.
update hospital.visits as v set started_at = '2018-01-10 15:00Z' where v.patient_id = tests.id_of('ann');
insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank, voided_at, void_reason)
select v.id, v.patient_id, tests.diagnosis_code(d.code), d.rank, case when d.is_void then now() end, case when d.is_void then 'Mistaken' end
from hospital.visits as v, (values ('N18.4', 2, false), ('K72.10', 3, true), ('J44.9', 4, false)) as d (code, rank, is_void)
where v.patient_id = tests.id_of('ann');

create function pg_temp.index_on(day date) returns text
language sql
as $$
  select format('%s/%s %s', i.score, i.age_adjusted_score, array_to_string(i.comorbidities, ', '))
  from analytics.charlson_index(tests.id_of('ann'), $1) as i;
$$;
select tests.authenticate_as('dora@example.test');
select is(
  (tests.failure('select analytics.charlson_index(tests.id_of(''ann''))')).code,
  'NTFND', 'A doctor reckons no index of a chart that is not open.'
);
select hospital.open_chart(tests.id_of('ann'));
select is(pg_temp.index_on('2014-12-31'), '0/1 ', 'Before anything began there is only age.');
select is(pg_temp.index_on('2015-01-01'), '1/2 Congestive heart failure', 'What begins counts from its first day.');
select is(
  pg_temp.index_on('2017-05-01'), '3/5 Congestive heart failure, Myocardial infarction, Chronic pulmonary disease',
  'Neither what was withdrawn nor what is coded in SNOMED CT counts, and at sixty there is one point more.'
);
select is(
  pg_temp.index_on('2018-01-10'),
  '5/7 Renal disease, Congestive heart failure, Myocardial infarction, Chronic pulmonary disease',
  'What a visit found counts from its day, without what was withdrawn.'
);
select is(
  pg_temp.index_on('2018-07-01'),
  '4/6 Renal disease, Congestive heart failure, Myocardial infarction',
  'What is over no longer counts, at a visit before its end neither; the infarction does.'
);
select is(pg_temp.index_on('2026-06-14'), '4/6 Renal disease, Congestive heart failure, Myocardial infarction', 'The day before seventy.');
select is(pg_temp.index_on('2026-06-15'), '4/7 Renal disease, Congestive heart failure, Myocardial infarction', 'And at seventy.');
select is(pg_temp.index_on('2060-01-01'), '4/8 Renal disease, Congestive heart failure, Myocardial infarction', 'Age adds four at most.');
select is(
  (tests.failure('select analytics.charlson_index(tests.id_of(''bob''))')).code,
  'NTFND', 'The open chart of one opens no other.'
);
select tests.clear_authentication();

-- A visit entered in error takes its diagnoses along, and a relapse counts again.
update hospital.visits as v set voided_at = now(), void_reason = 'Wrong patient' where v.patient_id = tests.id_of('ann');
select pg_temp.has('ann', 'J44.9', '2020-01-01');
select tests.authenticate_as('ann@example.test');
select is(pg_temp.index_on('2019-01-01'), '2/4 Congestive heart failure, Myocardial infarction', 'A patient reads his own, without visits in error.');
select is(
  pg_temp.index_on('2020-01-01'), '3/5 Congestive heart failure, Myocardial infarction, Chronic pulmonary disease',
  'What comes back counts again.'
);
select is(
  (tests.failure('select analytics.charlson_index(tests.id_of(''bob''))')).code,
  'NTFND', 'Nobody else''s.'
);
select tests.clear_authentication();
select * from finish();
rollback;

-- Searching finds what the words say, and only among the people one may see.
begin;
select no_plan();

create temporary table who on commit drop as
select
  tests.patient('ann@example.test', 'O''Hara') as ann,
  tests.patient('pct@example.test', '100%_\') as pct,
  tests.patient('bob@example.test', 'Zebrowski') as bob,
  tests.doctor(null, 'doc@example.test') as doc,
  tests.department() as ward;
grant select on who to public;
update hospital.staff_members set family_name = 'Quack_100%' where job = 'doctor';
select tests.appointment(doc, ann) from who;

-- ### reception
select tests.authenticate_as_role('reception');
select results_eq(
  $$ select p.id from hospital.search_patients('hara') as p $$,
  'select ann from who', 'Part of a name finds, in any case.'
);
select results_eq(
  $$ select p.id from hospital.search_patients('Pat O''H') as p $$,
  'select ann from who', 'Across given and family name too.'
);
select results_eq(
  $$ select p.id from hospital.search_patients('%') as p $$,
  'select pct from who', 'A percent sign is a percent sign.'
);
select results_eq(
  $$ select p.id from hospital.search_patients('_') as p $$,
  'select pct from who', 'An underscore is an underscore.'
);
select results_eq(
  $$ select p.id from hospital.search_patients('\') as p $$,
  'select pct from who', 'A backslash is a backslash.'
);
select is_empty($$ select from hospital.search_patients('%ara') $$, 'No wildcard works.');
select is_empty($$ select from hospital.search_patients(''' or true --') $$, 'Nor does SQL.');
select is_empty('select from hospital.search_patients(null)', 'Nothing finds nobody.');
select is_empty(
  'select from hospital.search_patients(repeat(''x'', 1000000))',
  'A million letters find nobody.'
);
select results_eq(
  'select s.id from who as w join hospital.patients as p on p.id = w.bob cross join lateral hospital.search_patients(lower(p.mrn)) as s',
  'select bob from who', 'A record number finds, in any case.'
);
select is(
  (select count(*) from hospital_private.matching_patient_ids('Zebrowski')),
  1::bigint, 'The helper finds for reception.'
);

-- ### the doctor
select tests.clear_authentication();
select tests.authenticate_as('doc@example.test');
select results_eq(
  $$ select p.id from hospital.search_patients('Pat') as p $$,
  'select ann from who', 'A doctor finds patients of his roster alone.'
);
select is_empty(
  $$ select hospital_private.matching_patient_ids('Zebrowski') $$,
  'The helper does not tell him who else is a patient here.'
);

-- ### a nurse
select tests.clear_authentication();
select tests.authenticate_as(tests.email_of_staff(tests.staff('nurse', ward))) from who;
select is_empty(
  $$ select p.id from hospital.search_patients('Pat') as p $$,
  'A nurse of another department finds nobody.'
);
select is_empty(
  $$ select hospital_private.matching_patient_ids('Zebrowski') $$,
  'Neither by the helper.'
);

-- ### a patient
select tests.clear_authentication();
select tests.authenticate_as('bob@example.test');
select throws_ok(
  $$ select hospital.search_patients('Pat') $$,
  '42501', null, 'A patient searches for no patients.'
);
select throws_ok(
  $$ select hospital_private.matching_patient_ids('Pat') $$,
  '42501', null, 'Neither by the helper.'
);
select results_eq(
  $$ select d.id from hospital.search_doctors('quack') as d $$,
  'select doc from who', 'A patient finds doctors by name.'
);
select results_eq(
  $$ select d.id from hospital.search_doctors('cardio') as d $$,
  'select doc from who', 'And by specialty.'
);
select results_eq(
  $$ select d.id from hospital.search_doctors('_100%') as d $$,
  'select doc from who', 'Wildcards are letters here too.'
);
select is_empty($$ select from hospital.search_doctors('_uack') $$, 'And no wildcards.');
select results_eq(
  $$ select d.id from hospital.search_doctors(specialization => 'Cardiology') as d $$,
  'select doc from who', 'The specialty is a filter.'
);
select is_empty(
  $$ select from hospital.search_doctors('quack', specialization => 'Neurology') $$,
  'Filters narrow.'
);
select is_empty(
  $$ select from who, hospital.search_doctors(department_id => ward) $$,
  'The department is a filter.'
);
select is(
  count(*),
  1::bigint, 'Without a wish there are all doctors.'
) from hospital.search_doctors();

-- ### a visitor
select tests.be_anonymous();
select throws_ok(
  $$ select hospital.search_doctors() $$,
  '42501', null, 'A visitor searches for no doctors.'
);
select * from finish();
rollback;

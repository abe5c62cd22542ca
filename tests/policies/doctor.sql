-- What hospital_doctor may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.authenticate_as('dora@example.test');
select hospital.open_chart(tests.id_of('ann'));

-- Only visits of one's own are written to, only of open charts, only as oneself.
create function pg_temp.try(statement text) returns text
language sql
as $$ select tests.would_be($1); $$;
select is(
  pg_temp.try($$insert into hospital.prescriptions (visit_id, patient_id, medication_id, prescribed_by, dosage, start_date) select v.id, v.patient_id, tests.medication(), tests.id_of('dirk'), '1', '2026-01-01' from hospital.visits as v$$),
  '42501', 'He does not prescribe in another''s name.'
);
select is(
  pg_temp.try($$insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at) select max(a.id) + 1, tests.id_of('bob'), tests.id_of('dora'), now() from hospital.appointments as a$$),
  '42501', 'He records no visit of a patient whose chart is not open.'
);
select is(
  pg_temp.try($$insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select max(v.id) + 1, tests.id_of('bob'), tests.diagnosis_code(), 9 from hospital.visits as v$$),
  '42501', 'Nor a diagnosis.'
);
select is(
  pg_temp.try($$insert into hospital.treatments (visit_id, patient_id, type, cost, started_at) select max(v.id) + 1, tests.id_of('bob'), tests.treatment_type(), 9, now() from hospital.visits as v$$),
  '42501', 'Nor a treatment.'
);
select is(
  pg_temp.try($$insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on) select tests.id_of('bob'), tests.diagnosis_code(), '2026-01-01'$$),
  '42501', 'Nor a condition.'
);
select is(
  pg_temp.try($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select tests.id_of('bob'), tests.id_of('dora'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00')$$),
  '42501', 'He does not take Bob onto his roster by booking him.'
);
select is(
  pg_temp.try($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select tests.id_of('ann'), tests.id_of('dirk'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00')$$),
  '42501', 'Nor fills a colleague''s calendar.'
);
select is(
  pg_temp.try($$update hospital.doctors set specialization = 'Neurology'$$),
  '42501', 'He does not change what he is.'
);
select is(
  pg_temp.try($$update hospital.patients set family_name = 'X'$$),
  '42501', 'Nor who Ann is.'
);
select is_empty(
  $$ select from hospital.doctor_time_off as o where o.doctor_id <> tests.id_of('dora') $$,
  'He does not see why a colleague is away.'
);
select is_empty(
  $$ select from hospital.contact_points as c where c.patient_id = tests.id_of('bob') $$,
  'Nor how to reach Bob.'
);

select tests.clear_authentication();
select * from finish();
rollback;

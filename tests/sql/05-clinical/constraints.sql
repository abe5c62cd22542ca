-- Nothing of another patient can be attached to a record, and no value that is none; as the owner.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.doctor() as doc, tests.patient() as ann, tests.patient() as bob, tests.diagnosis_code() as code,
  tests.medication() as drug, tests.treatment_type() as type;
alter table who add a bigint, add b bigint, add va bigint, add vb bigint;
update who set a = tests.appointment(doc, ann, tests.next_working_instant(doc, '10:00')), b = tests.appointment(doc, bob, tests.next_working_instant(doc, '11:00'));
update who set va = tests.visit(a);
update hospital.appointments set status = 'in_progress' where id = (select b from who);
grant select on who to public;
select tests.prescription(va) from who;
select tests.treatment(va) from who;
insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select va, ann, code, 1 from who;
insert into hospital.patient_conditions (patient_id, diagnosis_code_id, visit_id, onset_on) select ann, code, va, '2026-01-01' from who;
select tests.be_owner();
create function pg_temp.try(statement text) returns text
language sql
as $$ select tests.would_be($1); $$;

-- The same patient, all the way down.
select is(
  pg_temp.try('insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at) select b, ann, doc, now() from who'),
  'visits_belong_to_the_appointments_patient', 'A visit is of the appointment''s patient.'
);
select isnt(
  pg_temp.try('update hospital.visits set patient_id = bob from who'),
  'accepted', 'And stays so.'
);
select is(
  pg_temp.try('update hospital.appointments set patient_id = bob from who where id = a'),
  'visits_belong_to_the_appointments_patient', 'Nor does the appointment change hands under it.'
);
select is(
  pg_temp.try('insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select va, bob, tests.diagnosis_code(''E11.9''), 2 from who'),
  'visit_diagnoses_belong_to_the_visits_patient', 'A diagnosis is of the visit''s patient.'
);
select is(
  pg_temp.try('update hospital.visit_diagnoses set patient_id = bob from who'),
  'visit_diagnoses_belong_to_the_visits_patient', 'And stays so.'
);
select is(
  pg_temp.try('insert into hospital.prescriptions (visit_id, patient_id, medication_id, prescribed_by, dosage, start_date) select va, bob, drug, doc, ''1'', ''2026-01-01'' from who'),
  'prescriptions_belong_to_the_visits_patient', 'A prescription is of the visit''s patient.'
);
select is(
  pg_temp.try('update hospital.prescriptions set patient_id = bob from who'),
  'prescriptions_belong_to_the_visits_patient', 'And stays so.'
);
select is(
  pg_temp.try('insert into hospital.treatments (visit_id, patient_id, type, cost, started_at) select va, bob, type, 1, now() from who'),
  'treatments_belong_to_the_visits_patient', 'A treatment is of the visit''s patient.'
);
select is(
  pg_temp.try('update hospital.treatments set patient_id = bob from who'),
  'treatments_belong_to_the_visits_patient', 'And stays so.'
);
select is(
  pg_temp.try('insert into hospital.patient_conditions (patient_id, diagnosis_code_id, visit_id, onset_on) select bob, code, va, ''2026-01-01'' from who'),
  'patient_conditions_visit_is_the_patients', 'A condition is of the visit''s patient.'
);
select is(
  pg_temp.try('update hospital.patient_conditions set patient_id = bob from who'),
  'patient_conditions_visit_is_the_patients', 'And stays so.'
);
select is(
  pg_temp.try('insert into hospital.visit_versions (visit_id, version, patient_id) select va, 1, bob from who'),
  'visit_versions_belong_to_the_visits_patient', 'A version is of the visit''s patient.'
);

-- Visits.
select is(
  pg_temp.try('insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at) select a, ann, doc, now() from who'),
  'visits_one_per_appointment', 'An appointment has one visit.'
);
select is(
  pg_temp.try('update hospital.visits set ended_at = started_at - interval ''1 second'''),
  'visits_end_not_before_start', 'It does not end before it starts.'
);
select is(
  pg_temp.try('update hospital.visits set started_at = ''infinity'''),
  'visits_times_finite', 'It starts at some time.'
);
select is(
  pg_temp.try('update hospital.visits set voided_at = now()'),
  'visits_void_has_reason', 'It is voided for a reason.'
);
select is(
  pg_temp.try('update hospital.visits set notes = ''New'''),
  'visits_amendment_has_reason', 'It is amended for a reason.'
);
select is(
  pg_temp.try('update hospital.visits set version = 2'),
  'visits_amendment_has_reason', 'No later version without a reason.'
);
select is(
  pg_temp.try('update hospital.visits set amendment_reason = ''x'', notes = repeat(''x'', 20001)'),
  'visits_texts_not_too_long', 'Its notes have an end.'
);
select is(
  pg_temp.try('update hospital.visits set amendment_reason = ''x'', diagnosis = repeat(''x'', 2001)'),
  'visits_texts_not_too_long', 'So has its diagnosis.'
);
select is(
  pg_temp.try('insert into hospital.visits (record_uuid, appointment_id, patient_id, doctor_id, started_at) select v.record_uuid, b, bob, doc, now() from who, hospital.visits as v'),
  'visits_record_uuid_key', 'Its record is its own.'
);

-- Diagnoses and conditions.
select is(
  pg_temp.try('insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select va, ann, tests.diagnosis_code(''E11.9''), 1 from who'),
  'visit_diagnoses_one_of_each_rank', 'There is one principal diagnosis.'
);
select is(
  pg_temp.try('insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select va, ann, code, 2 from who'),
  'visit_diagnoses_one_of_each_code', 'A code is given once.'
);
select isnt(
  pg_temp.try('insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select va, ann, tests.diagnosis_code(''E11.9''), 0 from who'),
  'accepted', 'Ranks begin with 1.'
);
select isnt(
  pg_temp.try('update hospital.visit_diagnoses set voided_at = now()'),
  'accepted', 'A diagnosis is withdrawn for a reason.'
);
select is(
  pg_temp.try('insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on) select ann, code, ''2026-01-01'' from who'),
  'patient_conditions_once_from_each_onset', 'A condition begins once on a day.'
);
select is(
  pg_temp.try('update hospital.patient_conditions set abated_on = onset_on - 1'),
  'patient_conditions_abated_after_onset', 'It does not end before it begins.'
);
select is(
  pg_temp.try('update hospital.patient_conditions set onset_on = ''-infinity'''),
  'patient_conditions_dates_finite', 'It begins on some day.'
);
select is(
  pg_temp.try('update hospital.patient_conditions set void_reason = ''x'''),
  'patient_conditions_void_has_reason', 'A reason needs a void.'
);
select is(
  pg_temp.try($$insert into hospital.diagnosis_codes (system, code, description) values ('icd10cm', 'i10', 'x')$$),
  'diagnosis_codes_icd10cm_well_formed', 'ICD-10-CM codes look like it.'
);
select is(
  pg_temp.try($$insert into hospital.diagnosis_codes (system, code, description) values ('snomed', 'I10', 'x')$$),
  'diagnosis_codes_snomed_well_formed', 'SNOMED codes look like it.'
);
select is(
  pg_temp.try($$insert into hospital.diagnosis_codes (system, code, description) values ('icd9', '250', 'x')$$),
  'diagnosis_codes_system_known', 'Other systems are refused.'
);

-- Prescriptions.
select results_eq(
  'select start_date, duration_days, end_date from hospital.prescriptions',
  $$ values (date '2026-03-01', 30, date '2026-03-30') $$,
  'Thirty days from 1 March end on 30 March.'
);
update hospital.prescriptions set duration_days = 1;
select is(end_date, start_date, 'One day ends on the day it begins.') from hospital.prescriptions;
update hospital.prescriptions set duration_days = null;
select is(end_date, null, 'As long as needed has no end.') from hospital.prescriptions;
select is(
  pg_temp.try('update hospital.prescriptions set end_date = ''2026-01-01'''),
  '428C9', 'The end is derived and not written.'
);
select is(
  pg_temp.try('update hospital.prescriptions set duration_days = 0'),
  'prescriptions_duration_positive', 'No medicine is taken for no day.'
);
select isnt(
  pg_temp.try('update hospital.prescriptions set duration_days = 2147483647'),
  'accepted', 'Nor for ever.'
);
select is(
  pg_temp.try('update hospital.prescriptions set start_date = ''infinity'''),
  'prescriptions_start_date_finite', 'It begins on some day.'
);
select is(
  pg_temp.try('update hospital.prescriptions set dosage = '' '''),
  'prescriptions_dosage_not_blank', 'It says how much.'
);
select is(
  pg_temp.try('update hospital.prescriptions set dosage = repeat(''x'', 201)'),
  'prescriptions_dosage_not_blank', 'In 200 letters.'
);
select is(
  pg_temp.try('update hospital.prescriptions set instructions = repeat(''x'', 1001)'),
  'prescriptions_instructions_not_too_long', 'And the rest in 1000.'
);
select is(
  pg_temp.try('update hospital.prescriptions set stopped_at = now()'),
  'prescriptions_stop_has_reason', 'It is stopped for a reason.'
);

-- Treatments.
select is(
  pg_temp.try('update hospital.treatments set cost = -0.01'),
  'treatments_cost_not_negative', 'A cost is not negative.'
);
select is(
  pg_temp.try('update hospital.treatments set cost = ''NaN'''),
  'treatments_cost_not_negative', 'A cost is a number.'
);
select is(
  pg_temp.try('update hospital.treatments set cost = ''Infinity'''),
  '22003', 'And a finite one.'
);
select is(
  pg_temp.try('update hospital.treatments set cost = 10000000000'),
  '22003', 'Below ten thousand million.'
);
select is(
  pg_temp.try('update hospital.treatments set ended_at = started_at - interval ''1 second'''),
  'treatments_end_not_before_start', 'A treatment does not end before it starts.'
);
select is(
  pg_temp.try('update hospital.treatments set started_at = ''-infinity'''),
  'treatments_times_finite', 'It starts at some time.'
);
select is(
  pg_temp.try('update hospital.treatments set ended_at = ''infinity'''),
  'treatments_times_finite', 'And ends at some time.'
);
select is(
  pg_temp.try('update hospital.treatments set notes = repeat(''x'', 5001)'),
  'treatments_notes_not_too_long', 'Its notes have an end.'
);
select is(
  pg_temp.try('update hospital.treatments set voided_at = now()'),
  'treatments_void_has_reason', 'It is voided for a reason.'
);
select is(
  pg_temp.try('update hospital.treatments set type = ''Bloodletting'''),
  'treatments_type_fkey', 'Its type is listed.'
);
select is(
  pg_temp.try('update hospital.treatments set outcome = ''great'''),
  'treatments_outcome_fkey', 'So is its outcome.'
);
select is(
  pg_temp.try($$insert into hospital.treatment_types (name, code) values ('X', 'y')$$),
  'treatment_types_code_is_snomed', 'The code of a type is SNOMED''s.'
);
select is(
  pg_temp.try($$insert into hospital.medications (code, name) values ('x', 'y')$$),
  'medications_code_is_rxnorm', 'The code of a medicine is RxNorm''s.'
);
select * from finish();
rollback;

-- From the appointment to the record: visits, prescriptions, treatments and conditions.
begin;
select no_plan();

create temporary table who on commit drop as
select tests.doctor(null, 'doc@example.test') as doc, tests.doctor(null, 'other@example.test') as other,
  tests.patient('ann@example.test') as ann, tests.medication() as drug, tests.treatment_type() as type,
  tests.diagnosis_code('I10') as i10, tests.diagnosis_code('E11.9') as e11;
alter table who add a bigint, add b bigint, add c bigint, add v bigint;
update who set a = tests.appointment(doc, ann, tests.next_working_instant(doc, '10:00')),
  b = tests.appointment(other, ann, tests.next_working_instant(doc, '11:00')),
  c = tests.appointment(doc, ann, tests.next_working_instant(doc, '12:00'), status => 'cancelled');
grant select, update on who to public;
create function pg_temp.try(statement text) returns text
language plpgsql
as $$
declare
  filled text;
begin
  select replace(replace(replace(replace(replace(replace($1, ':ann', ann::text), ':drug', drug::text), ':a', a::text), ':b', b::text), ':c', c::text), ':v', coalesce(v::text, 'null')) into filled from who;
  return tests.would_be(filled);
end;
$$;

create function pg_temp.changed(change text) returns bigint
language plpgsql
as $$
declare
  affected bigint;
begin
  execute 'update ' || $1;
  get diagnostics affected = row_count;
  return affected;
end;
$$;

-- ### the doctor
select tests.authenticate_as('doc@example.test');
select is(
  pg_temp.try('select hospital.record_visit(:b)'),
  'NTFND', 'A doctor records no visit of a colleague''s appointment.'
);
select is(pg_temp.try('select hospital.record_visit(-1)'), 'NTFND', 'Nor of none.');
select is(pg_temp.try('select hospital.record_visit(null)'), 'NTFND', 'Nor of nothing.');
select is(
  pg_temp.try('select hospital.record_visit(:c)'),
  'TRNSN', 'Nor of one that was called off.'
);
select is(
  pg_temp.try($$select hospital.record_visit(:a, 'x', 'y', array['I10', 'X99.9'])$$),
  'UNKWN', 'Nor with a code that is not known.'
);
select is(
  pg_temp.try($$select hospital.record_visit(:a, 'x', 'y', array['I10', null])$$),
  'UNKWN', 'Nor with one that is missing.'
);
select is(
  pg_temp.try($$select hospital.record_visit(:a, 'x', 'y', array['I10', 'I10'])$$),
  'visit_diagnoses_one_of_each_code', 'Nor with one twice.'
);
select is_empty('select from hospital.visits', 'What was refused left nothing behind.');
update who set v = (hospital.record_visit(a, 'Hypertension', 'Came with a headache.', array['E11.9', 'I10'])).id;
select results_eq(
  'select v.appointment_id, v.patient_id, v.doctor_id, v.diagnosis, v.version, v.ended_at from hospital.visits as v',
  $$ select a, ann, doc, 'Hypertension', 1, null::timestamptz from who $$, 'He records the visit of his own.'
);
select results_eq(
  'select diagnosis_code_id from hospital.visit_diagnoses order by rank',
  'select unnest(array[e11, i10]) from who', 'With its diagnoses, the principal one first.'
);
select is(
  status,
  'in_progress', 'The appointment is in progress.'
) from hospital.appointments, who where id = a;
select isnt_empty(
  'select hospital_private.open_charts()',
  'The chart was opened by it, and recorded.'
);
select is(
  pg_temp.try('select hospital.record_visit(:a)'),
  'visits_one_per_appointment', 'An appointment has one visit.'
);

-- Prescriptions.
select results_eq(
  $$ select p.visit_id, p.patient_id, p.prescribed_by, p.start_date, p.end_date
    from who as w cross join lateral hospital.add_prescription(w.v, w.drug, '10 mg', 10) as p $$,
  $$ select v, ann, doc, d.day, d.day + 9 from who, (select (now() at time zone 'America/New_York')::date as day) as d $$,
  'A prescription begins today, where the patient was seen, and ends with its last day.'
);
select is(
  pg_temp.try('select hospital.add_prescription(:v, -1, ''1'')'),
  'UNKWN', 'The medicine must exist.'
);
select is(
  pg_temp.try('select hospital.add_prescription(:v, null, ''1'')'),
  'UNKWN', 'And be named.'
);
select is(
  pg_temp.try('select hospital.add_prescription(-1, :drug, ''1'')'),
  'NTFND', 'So must the visit.'
);
select is(
  pg_temp.try('select hospital.add_prescription(:v, :drug, '''')'),
  'prescriptions_dosage_not_blank', 'And the dose.'
);
select isnt(
  pg_temp.try('select hospital.add_prescription(:v, :drug, null)'),
  'accepted', 'By something.'
);
select is(
  pg_temp.try('select hospital.add_prescription(:v, :drug, ''1'', -5)'),
  'prescriptions_duration_positive', 'For some days.'
);
select is(
  pg_temp.try('select hospital.add_prescription(:v, :drug, ''1'', 5, ''infinity'')'),
  'prescriptions_start_date_finite', 'From some day on.'
);
select is(
  pg_temp.try('select hospital.stop_prescription(-1, ''x'')'),
  'NTFND', 'Nothing is stopped that is not there.'
);
select is(
  (hospital.stop_prescription(p.id, 'Rash')).stop_reason,
  'Rash', 'A prescription is stopped, with a reason.'
) from hospital.prescriptions as p;
select is(
  (hospital.stop_prescription(p.id, 'Other')).stop_reason,
  'Rash', 'And keeps the first one.'
) from hospital.prescriptions as p;
select is(
  pg_temp.changed('hospital.prescriptions set stopped_at = null, stop_reason = null'),
  0::bigint, 'What was stopped does not begin again by SQL.'
);
select is(
  pg_temp.try('update hospital.prescriptions set dosage = ''2'''),
  '42501', 'Nor is it changed.'
);
select is(pg_temp.try('delete from hospital.prescriptions'), '42501', 'Nor deleted.');

-- Treatments.
select is(
  (hospital.add_treatment(v, type, 120.50, 'Normal')).cost,
  120.50, 'A treatment has its cost.'
) from who;
select is((hospital.add_treatment(v, type, 79.50)).patient_id, ann, 'And its patient.') from who;
select is(
  hospital.visits_treatment_cost(v),
  200.00, 'A visit costs what its treatments cost.'
) from hospital.visits as v;
select is(
  pg_temp.try('select hospital.add_treatment(:v, ''Electrocardiogram'', ''NaN'')'),
  'treatments_cost_not_negative', 'No cost that is no number.'
);
select is(
  pg_temp.try('select hospital.add_treatment(:v, ''Electrocardiogram'', -1)'),
  'treatments_cost_not_negative', 'Nor a negative one.'
);
select is(
  pg_temp.try('select hospital.add_treatment(:v, ''Electrocardiogram'', ''Infinity'')'),
  '22003', 'Nor an infinite one.'
);
select is(
  pg_temp.try('select hospital.add_treatment(:v, ''Bloodletting'', 1)'),
  'treatments_type_fkey', 'No type that is not listed.'
);
select is(
  pg_temp.try('select hospital.add_treatment(:v, ''Electrocardiogram'', 1, outcome => ''great'')'),
  'treatments_outcome_fkey', 'No outcome that is not listed.'
);
select is(
  pg_temp.try('select hospital.add_treatment(-1, ''Electrocardiogram'', 1)'),
  'NTFND', 'No visit that is not there.'
);
select isnt(
  (hospital.void_treatment(t.id, 'Entered twice')).voided_at,
  null, 'A treatment is withdrawn, with a reason.'
) from hospital.treatments as t where cost = 79.50;
select is(
  hospital.visits_treatment_cost(v),
  120.50, 'And costs nothing any more.'
) from hospital.visits as v;
select is(
  pg_temp.try('select hospital.void_treatment((select min(id) from hospital.treatments), null)'),
  'treatments_void_has_reason', 'Not without one.'
);
select is(
  (hospital.void_treatment(t.id, 'Other')).void_reason,
  'Entered twice', 'Withdrawing it again keeps the first reason.'
) from hospital.treatments as t where cost = 79.50;
select is(
  pg_temp.changed('hospital.treatments set voided_at = null, void_reason = null where voided_at is not null'),
  0::bigint, 'What was withdrawn does not come back by SQL.'
);
select is(
  pg_temp.try('update hospital.treatments set cost = 0'),
  '42501', 'A cost is not changed.'
);

-- Conditions.
select is(
  (hospital.record_condition(ann, i10, '2020-01-01')).patient_id,
  ann, 'A condition is added to the history.'
) from who;
select is(
  pg_temp.try('select hospital.record_condition(:ann, -1, ''2020-01-01'')'),
  'patient_conditions_diagnosis_code_id_fkey', 'Its code is listed.'
);
select is(
  pg_temp.try('select hospital.record_condition(-1, 1, ''2020-01-01'')'),
  'NTFND', 'Its patient''s chart is open.'
);

-- Amendments.
select is(
  (hospital.amend_visit(v, 'Second reading', notes => 'Came with a migraine.')).version,
  2, 'An amendment is the next version.'
) from who;
select is(
  (hospital.amend_visit(v, 'Third reading', diagnosis => 'Migraine')).version,
  3, 'And so is one more.'
) from who;
select is(
  (hospital.amend_visit(v, 'Nothing')).version,
  3, 'Nothing changed is no version.'
) from who;
select results_eq(
  'select version, diagnosis, notes, amendment_reason from hospital.visit_versions order by version',
  $$ values (1, 'Hypertension', 'Came with a headache.', null), (2, 'Hypertension', 'Came with a migraine.', 'Second reading') $$,
  'Every earlier version is kept, with the reason it was made for.'
);
select is(
  pg_temp.changed('hospital.visits set amendment_reason = ''A better reason'''),
  1::bigint, 'Changing the reason alone, by SQL,'
);
select is(
  amendment_reason,
  'Third reading', 'leaves a version with the reason before.'
) from hospital.visit_versions order by version desc limit 1;
select is(
  pg_temp.try('select hospital.amend_visit(:v, '' '', ''x'')'),
  'MISSA', 'No amendment without a reason.'
);
select is(
  pg_temp.try('select hospital.amend_visit(-1, ''x'', ''y'')'),
  'NTFND', 'Nor of what is not there.'
);
select is(
  pg_temp.try('update hospital.visits set version = 1, amendment_reason = null'),
  '42501', 'Versions are not counted back.'
);
select is(pg_temp.try('delete from hospital.visit_versions'), '42501', 'Nor deleted.');
select is(
  pg_temp.try('insert into hospital.visit_versions (visit_id, version, patient_id) values (:v, 9, :ann)'),
  '42501', 'Nor made up.'
);

-- The end.
select isnt((hospital.complete_visit(v)).ended_at, null, 'A visit ends.') from who;
select is(
  status,
  'completed', 'And completes its appointment.'
) from hospital.appointments, who where id = a;
select is(
  pg_temp.try('select hospital.complete_visit(:v)'),
  'accepted', 'Ending it twice is no error.'
);
select is(
  pg_temp.try('select hospital.record_visit(:a)'),
  'TRNSN', 'What is over does not begin again.'
);
select is(
  (hospital.void_visit(v, 'Wrong patient')).void_reason,
  'Wrong patient', 'A visit is voided, with a reason.'
) from who;
select is(
  (hospital.void_visit(v, 'Other')).void_reason,
  'Wrong patient', 'And keeps the first one.'
) from who;
select is(
  pg_temp.try('select hospital.add_prescription(:v, :drug, ''1'')'),
  'NTFND', 'Nothing is prescribed at it any more.'
);
select is(
  pg_temp.changed('hospital.visits set voided_at = null, void_reason = null'),
  0::bigint, 'What was voided does not come back by SQL.'
);
select is(
  pg_temp.try($$select hospital.amend_visit(:v, 'x', 'y')$$),
  'NTFND', 'Nor is it amended.'
);
select is(
  pg_temp.try('insert into hospital.prescriptions (visit_id, patient_id, medication_id, prescribed_by, dosage, start_date) select v, ann, drug, doc, ''1'', ''2026-01-01'' from who'),
  '42501', 'Nor is anything prescribed at it by SQL.'
);
select is(
  pg_temp.try('insert into hospital.treatments (visit_id, patient_id, type, cost, started_at) select v, ann, type, 1, now() from who'),
  '42501', 'Nor done.'
);
select is(
  pg_temp.try('insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank) select v, ann, i10, 3 from who'),
  '42501', 'Nor diagnosed.'
);
select is(pg_temp.try('select hospital.complete_visit(:v)'), 'NTFND', 'Nor ended.');

-- ### a colleague who has the chart open
select tests.clear_authentication();
select tests.authenticate_as('other@example.test');
select hospital.open_chart(ann) from who;
select isnt_empty('select from hospital.visits', 'A colleague who treats her too reads the visit.');
select is(
  pg_temp.try('select hospital.amend_visit(:v, ''x'', ''y'')'),
  'NTFND', 'But does not amend it.'
);
select is(pg_temp.try('select hospital.void_visit(:v, ''x'')'), 'NTFND', 'He does not void it.');
select is(pg_temp.try('select hospital.complete_visit(:v)'), 'NTFND', 'Nor end it.');
select is(
  pg_temp.try('select hospital.add_treatment(:v, ''Electrocardiogram'', 1)'),
  'NTFND', 'Nor adds to it.'
);
select is(
  pg_temp.try('select hospital.record_condition(:ann, (select max(id) from hospital.diagnosis_codes), ''2021-01-01'')'),
  'accepted', 'Her history he may add to.'
);

-- ### Ann
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(
  hospital.visits_treatment_cost(v),
  120.50, 'The patient reads what it cost.'
) from hospital.visits as v;
select is(
  pg_temp.try('select hospital.amend_visit(:v, ''x'', ''y'')'),
  '42501', 'She does not amend it.'
);
select is_empty(
  format('select from hospital.patients_medications_in_use((select p from hospital.patients as p where id = %s))', ann),
  'What was stopped is not in use.'
) from who;
select * from finish();
rollback;

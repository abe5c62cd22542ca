-- What hospital_doctor may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### doctor
select tests.authenticate_as('dora@example.test');
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_moves', 'Ann'),
    ('appointment_overrides', 'Ann'),
    ('appointment_series', 'Ann'),
    ('appointment_staff', 'Ann'),
    ('appointment_status_history', 'Ann'),
    ('appointment_status_transitions', 'all'),
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
    ('appointments', 'Ann'),
    ('cancellation_reasons', 'all'),
    ('chart_purposes', 'all'),
    ('contact_kinds', 'all'),
    ('contact_points', 'others'),
    ('departments', 'all'),
    ('diagnosis_codes', 'all'),
    ('doctor_extra_sessions', 'all'),
    ('doctor_schedules', 'all'),
    ('doctor_time_off', 'some'),
    ('doctors', 'all'),
    ('facilities', 'all'),
    ('jobs', 'all'),
    ('medications', 'all'),
    ('no_show_reasons', 'all'),
    ('outcome_codes', 'all'),
    ('override_reasons', 'all'),
    ('patients', 'Ann'),
    ('rooms', 'all'),
    ('sexes', 'all'),
    ('specialties', 'all'),
    ('staff_members', 'all'),
    ('time_off_reasons', 'all'),
    ('treatment_types', 'all'),
    ('waitlist_statuses', 'all')
  $$,
  'A doctor sees the own calendar and roster, and no clinical row of a chart that is not open.'
);
select results_eq(
  'select * from tests.may_write()',
  $$ values
    ('appointment_overrides', 'insert', 'doctor_id, patient_id, reason, span'),
    ('appointment_series', 'insert', 'appointment_type_id, doctor_id, every_weeks, first_date, local_time, occurrences, patient_id'),
    ('appointment_series', 'update', 'skipped_dates'),
    ('appointment_staff', 'delete', null),
    ('appointment_staff', 'insert', 'appointment_id, staff_member_id'),
    ('appointments', 'insert', 'appointment_type_id, doctor_id, override_id, patient_id, reason, room_id, series_id, starts_at, status'),
    ('appointments', 'update', 'cancellation_reason, doctor_id, ends_at, no_show_reason, override_id, reason, room_id, starts_at, status'),
    ('contact_points', 'insert', 'kind, patient_id, staff_member_id, value'),
    ('contact_points', 'update', 'value'),
    ('doctor_extra_sessions', 'delete', null),
    ('doctor_extra_sessions', 'insert', 'doctor_id, ends_at, room_id, starts_at'),
    ('doctor_schedules', 'delete', null),
    ('doctor_schedules', 'insert', 'doctor_id, effective, end_time, room_id, start_time, weekday'),
    ('doctor_schedules', 'update', 'effective'),
    ('doctor_time_off', 'delete', null),
    ('doctor_time_off', 'insert', 'doctor_id, ends_at, reason, starts_at'),
    ('patient_conditions', 'insert', 'abated_on, diagnosis_code_id, onset_on, patient_id, visit_id'),
    ('prescriptions', 'insert', 'dosage, duration_days, instructions, medication_id, patient_id, prescribed_by, start_date, visit_id'),
    ('prescriptions', 'update', 'stop_reason, stopped_at'),
    ('treatments', 'insert', 'cost, ended_at, notes, outcome, patient_id, started_at, type, visit_id'),
    ('treatments', 'update', 'ended_at, outcome, void_reason, voided_at'),
    ('visit_diagnoses', 'insert', 'diagnosis_code_id, patient_id, rank, visit_id'),
    ('visits', 'insert', 'appointment_id, diagnosis, doctor_id, notes, patient_id, started_at'),
    ('visits', 'update', 'amendment_reason, diagnosis, ended_at, notes, void_reason, voided_at')
  $$,
  'A doctor writes these columns and no others.'
);
select hospital.open_chart(tests.id_of('ann'));
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_moves', 'Ann'),
    ('appointment_overrides', 'Ann'),
    ('appointment_series', 'Ann'),
    ('appointment_staff', 'Ann'),
    ('appointment_status_history', 'Ann'),
    ('appointment_status_transitions', 'all'),
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
    ('appointments', 'Ann'),
    ('cancellation_reasons', 'all'),
    ('chart_purposes', 'all'),
    ('contact_kinds', 'all'),
    ('contact_points', 'Ann, others'),
    ('departments', 'all'),
    ('diagnosis_codes', 'all'),
    ('doctor_extra_sessions', 'all'),
    ('doctor_schedules', 'all'),
    ('doctor_time_off', 'some'),
    ('doctors', 'all'),
    ('facilities', 'all'),
    ('jobs', 'all'),
    ('medications', 'all'),
    ('no_show_reasons', 'all'),
    ('outcome_codes', 'all'),
    ('override_reasons', 'all'),
    ('patient_conditions', 'Ann'),
    ('patients', 'Ann'),
    ('prescriptions', 'Ann'),
    ('rooms', 'all'),
    ('sexes', 'all'),
    ('specialties', 'all'),
    ('staff_members', 'all'),
    ('time_off_reasons', 'all'),
    ('treatment_types', 'all'),
    ('treatments', 'Ann'),
    ('visit_diagnoses', 'Ann'),
    ('visit_versions', 'Ann'),
    ('visits', 'Ann'),
    ('waitlist_statuses', 'all')
  $$,
  'With Ann''s chart open he sees her record too, and nothing of Bob.'
);

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

-- What hospital_administrator may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### administrator
select tests.authenticate_as('administrator@example.test');
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_moves', 'Ann, Bob'),
    ('appointment_overrides', 'Ann, Bob'),
    ('appointment_series', 'Ann, Bob'),
    ('appointment_staff', 'Ann, Bob'),
    ('appointment_status_history', 'Ann, Bob'),
    ('appointment_status_transitions', 'all'),
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
    ('appointments', 'Ann, Bob'),
    ('cancellation_reasons', 'all'),
    ('chart_purposes', 'all'),
    ('contact_kinds', 'all'),
    ('contact_points', 'Ann, Bob, others'),
    ('departments', 'all'),
    ('diagnosis_codes', 'all'),
    ('doctor_extra_sessions', 'all'),
    ('doctor_schedules', 'all'),
    ('doctor_time_off', 'all'),
    ('doctors', 'all'),
    ('facilities', 'all'),
    ('identifier_systems', 'all'),
    ('jobs', 'all'),
    ('medications', 'all'),
    ('no_show_reasons', 'all'),
    ('notifications', 'Ann, Bob'),
    ('outcome_codes', 'all'),
    ('override_reasons', 'all'),
    ('patients', 'Ann, Bob'),
    ('rooms', 'all'),
    ('sexes', 'all'),
    ('specialties', 'all'),
    ('staff_members', 'all'),
    ('time_off_reasons', 'all'),
    ('time_zones', 'all'),
    ('treatment_types', 'all'),
    ('waitlist_entries', 'Ann, Bob'),
    ('waitlist_statuses', 'all')
  $$,
  'An administrator sees people and the calendar, and no clinical row.'
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
    ('doctors', 'update', 'deactivated_at, specialization'),
    ('patients', 'update', 'date_of_birth, deactivated_at, deactivation_reason, family_name, given_name, sex, time_zone'),
    ('staff_members', 'update', 'department_id'),
    ('waitlist_entries', 'insert', 'appointment_type_id, department_id, doctor_id, patient_id, starts_before, starts_from'),
    ('waitlist_entries', 'update', 'priority, starts_before, starts_from, status')
  $$,
  'An administrator writes these columns and no others.'
);

select is(
  tests.would_be($$update hospital.doctors set approved_at = now()$$),
  '42501', 'He approves by the function alone, which gives the role with it.'
);
select is(
  tests.would_be($$update hospital.doctors set licence = 'x'$$),
  '42501', 'He changes no licence.'
);
select is(
  tests.would_be($$insert into hospital.patients (given_name, family_name, date_of_birth, sex) values ('A', 'B', '1990-01-01', 'male')$$),
  '42501', 'He registers by the function alone.'
);
select is(
  tests.would_be('select hospital_private.create_administrator(''x@example.test'', ''a long password'')'),
  '42501', 'He makes no administrator past the one function.'
);

select tests.clear_authentication();
select * from finish();
rollback;

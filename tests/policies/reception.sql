-- What hospital_reception may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### reception
select tests.authenticate_as('reception@example.test');
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
    ('contact_points', 'Ann, Bob'),
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
    ('patient_identifiers', 'Ann, Bob'),
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
  'Reception sees everybody''s names, contacts and appointments and no clinical row.'
);
select results_eq(
  'select * from tests.may_write()',
  $$ values
    ('appointment_series', 'insert', 'appointment_type_id, doctor_id, every_weeks, first_date, local_time, occurrences, patient_id'),
    ('appointment_series', 'update', 'skipped_dates'),
    ('appointment_staff', 'delete', null),
    ('appointment_staff', 'insert', 'appointment_id, staff_member_id'),
    ('appointments', 'insert', 'appointment_type_id, doctor_id, override_id, patient_id, reason, room_id, series_id, starts_at, status'),
    ('appointments', 'update', 'cancellation_reason, doctor_id, ends_at, no_show_reason, reason, room_id, starts_at, status'),
    ('contact_points', 'insert', 'kind, patient_id, staff_member_id, value'),
    ('contact_points', 'update', 'value'),
    ('doctor_extra_sessions', 'delete', null),
    ('doctor_extra_sessions', 'insert', 'doctor_id, ends_at, room_id, starts_at'),
    ('doctor_schedules', 'delete', null),
    ('doctor_schedules', 'insert', 'doctor_id, effective, end_time, room_id, start_time, weekday'),
    ('doctor_schedules', 'update', 'effective'),
    ('doctor_time_off', 'delete', null),
    ('doctor_time_off', 'insert', 'doctor_id, ends_at, reason, starts_at'),
    ('patient_identifiers', 'insert', 'patient_id, system, value'),
    ('patients', 'update', 'date_of_birth, deactivated_at, deactivation_reason, family_name, given_name, sex, time_zone'),
    ('waitlist_entries', 'insert', 'appointment_type_id, department_id, doctor_id, patient_id, starts_before, starts_from'),
    ('waitlist_entries', 'update', 'priority, starts_before, starts_from, status')
  $$,
  'Reception writes these columns and no others.'
);

select is(
  tests.would_be($$update hospital.appointments set patient_id = patient_id$$),
  '42501', 'Reception gives no appointment to another patient.'
);
select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status) select tests.id_of('ann'), tests.id_of('dora'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00'), 'completed'$$),
  '42501', 'It invents no history.'
);
select is_empty(
  $$ select from hospital.contact_points where staff_member_id is not null $$,
  'It does not see how to reach staff.'
);
select is(
  tests.would_be($$insert into hospital.contact_points (staff_member_id, kind, value) select min(id), 'email', 'a@example.test' from hospital.staff_members$$),
  '42501', 'Nor changes it.'
);
select is(
  tests.would_be($$update hospital.patients set merged_into_id = null$$),
  '42501', 'It merges nobody.'
);

select tests.clear_authentication();
select * from finish();
rollback;

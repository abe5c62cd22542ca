-- What hospital_nurse may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### nurse
select tests.authenticate_as('nurse@example.test');
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_staff', 'Ann'),
    ('appointment_status_transitions', 'all'),
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
    ('appointments', 'Ann'),
    ('cancellation_reasons', 'all'),
    ('chart_purposes', 'all'),
    ('contact_kinds', 'all'),
    ('departments', 'all'),
    ('diagnosis_codes', 'all'),
    ('doctor_extra_sessions', 'all'),
    ('doctor_schedules', 'all'),
    ('doctors', 'all'),
    ('facilities', 'all'),
    ('identifier_systems', 'all'),
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
    ('time_zones', 'all'),
    ('treatment_types', 'all'),
    ('waitlist_statuses', 'all')
  $$,
  'A nurse sees the department''s calendar and roster, and no clinical row of a chart that is not open.'
);
select results_eq(
  'select * from tests.may_write()',
  $$ values
    ('appointment_staff', 'delete', null),
    ('appointment_staff', 'insert', 'appointment_id, staff_member_id'),
    ('appointments', 'update', 'no_show_reason, status')
  $$,
  'A nurse writes these columns and no others.'
);
select hospital.open_chart(tests.id_of('ann'));
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_staff', 'Ann'),
    ('appointment_status_transitions', 'all'),
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
    ('appointments', 'Ann'),
    ('cancellation_reasons', 'all'),
    ('chart_purposes', 'all'),
    ('contact_kinds', 'all'),
    ('contact_points', 'Ann'),
    ('departments', 'all'),
    ('diagnosis_codes', 'all'),
    ('doctor_extra_sessions', 'all'),
    ('doctor_schedules', 'all'),
    ('doctors', 'all'),
    ('facilities', 'all'),
    ('identifier_systems', 'all'),
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
    ('time_zones', 'all'),
    ('treatment_types', 'all'),
    ('treatments', 'Ann'),
    ('visit_diagnoses', 'Ann'),
    ('visits', 'Ann'),
    ('waitlist_statuses', 'all')
  $$,
  'With Ann''s chart open she sees her record too, and nothing of Bob.'
);

select is(
  tests.would_be($$insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at) select tests.id_of('ann'), tests.id_of('dora'), tests.type_id(), tests.next_working_instant(tests.id_of('dora'), '15:00')$$),
  '42501', 'She books nothing.'
);
select is(
  tests.would_be($$update hospital.prescriptions set stopped_at = now(), stop_reason = 'x'$$),
  '42501', 'She stops no prescription.'
);
select is(
  tests.would_be($$update hospital.appointments set reason = 'x'$$),
  '42501', 'She changes no reason.'
);

select tests.clear_authentication();
select * from finish();
rollback;

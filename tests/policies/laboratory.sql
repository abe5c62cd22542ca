-- What hospital_laboratory may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### laboratory
select tests.authenticate_as('laboratory@example.test');
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_status_transitions', 'all'),
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
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
    ('rooms', 'all'),
    ('sexes', 'all'),
    ('specialties', 'all'),
    ('staff_members', 'all'),
    ('time_off_reasons', 'all'),
    ('time_zones', 'all'),
    ('treatment_types', 'all'),
    ('waitlist_statuses', 'all')
  $$,
  'The laboratory sees the directory and no patient.'
);
select is_empty('select * from tests.may_write()', 'The laboratory writes nothing.');
select tests.clear_authentication();
select * from finish();
rollback;

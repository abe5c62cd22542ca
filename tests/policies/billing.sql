-- What hospital_billing may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### billing
select tests.authenticate_as('billing@example.test');
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_statuses', 'all'),
    ('appointment_types', 'all'),
    ('appointments', 'Ann, Bob'),
    ('cancellation_reasons', 'all'),
    ('contact_kinds', 'all'),
    ('contact_points', 'Ann, Bob'),
    ('departments', 'all'),
    ('doctors', 'all'),
    ('facilities', 'all'),
    ('patients', 'Ann, Bob'),
    ('sexes', 'all'),
    ('specialties', 'all'),
    ('staff_members', 'all')
  $$,
  'Billing sees whom to bill and for which appointments, and no clinical row.'
);
select is_empty('select * from tests.may_write()', 'Billing writes nothing.');

select is_empty(
  $$ select from hospital.contact_points where staff_member_id is not null $$,
  'It does not see how to reach staff.'
);
select is(tests.would_be('select hospital.search_patients(''a'')'), '42501', 'It does not search.');

select tests.clear_authentication();
select * from finish();
rollback;

-- What a visitor who has not logged in may do: the building, registration and log-in, nothing of anyone.
begin;
select no_plan();
select tests.world();

select tests.be_anonymous();
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ values
    ('appointment_types', 'some'),
    ('departments', 'some'),
    ('facilities', 'all'),
    ('specialties', 'all')
  $$,
  'A visitor sees the building and what can be booked there.'
);
select is_empty('select * from tests.may_write()', 'A visitor writes nothing.');
select results_eq(
  'select * from tests.may_execute()',
  $$ values
    ('hospital.current_account'),
    ('hospital.doctors_experience_years'),
    ('hospital.doctors_full_name'),
    ('hospital.free_slots'),
    ('hospital.log_in'),
    ('hospital.log_out'),
    ('hospital.patients_age'),
    ('hospital.patients_full_name'),
    ('hospital.refresh_session'),
    ('hospital.register_doctor'),
    ('hospital.register_patient'),
    ('hospital.register_patient_and_book')
  $$,
  'A visitor may call these and nothing else.'
);
select is_empty(
  $$ select from hospital.departments where not is_active $$,
  'A closed department is not shown.'
);
select is_empty(
  $$ select from hospital.appointment_types where not is_bookable $$,
  'Nor a type that cannot be booked.'
);
select tests.clear_authentication();
select * from finish();
rollback;

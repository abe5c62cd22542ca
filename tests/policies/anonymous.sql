-- What a visitor who has not logged in does not see; the rest is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.be_anonymous();
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

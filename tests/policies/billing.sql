-- What hospital_billing may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.authenticate_as('billing@example.test');
select is_empty(
  $$ select from hospital.contact_points where staff_member_id is not null $$,
  'It does not see how to reach staff.'
);
select is(tests.would_be('select hospital.search_patients(''a'')'), '42501', 'It does not search.');

select tests.clear_authentication();
select * from finish();
rollback;

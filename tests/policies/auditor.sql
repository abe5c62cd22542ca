-- What hospital_auditor may do, table by table; what is not listed is denied.
begin;
select no_plan();
select tests.world();

-- ### auditor
select tests.authenticate_as('auditor@example.test');
select results_eq(
  $$ select * from tests.sees() where rows not in ('denied', 'none') $$,
  $$ select null, null where false $$,
  'An auditor sees nothing yet.'
);
select is_empty('select * from tests.may_write()', 'An auditor writes nothing.');
select tests.clear_authentication();
select * from finish();
rollback;

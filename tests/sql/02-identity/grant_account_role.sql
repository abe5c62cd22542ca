-- Roles are given by administrators, to people who are what the role says.
begin;
select no_plan();

select tests.patient('ann@example.test');
select tests.staff('nurse', null, 'nurse@example.test');
select tests.doctor(null, 'doc@example.test');

-- ### an administrator
select tests.authenticate_as_role('administrator');
select is(
  (hospital.grant_account_role(' Nurse@Example.Test ', 'reception')).role, 'reception',
  'An administrator gives a role.'
);
select lives_ok(
  $$ select hospital.grant_account_role('nurse@example.test', 'reception') $$,
  'Giving it twice is no error.'
);
select throws_ok(
  $$ select hospital.grant_account_role('nurse@example.test', 'patient') $$,
  'NTFND', null, 'Nobody becomes a patient without a patient''s record.'
);
select throws_ok(
  $$ select hospital.grant_account_role('ann@example.test', 'doctor') $$,
  'NTFND', null, 'Nobody becomes a doctor without being one.'
);
select throws_ok(
  $$ select hospital.grant_account_role('nurse@example.test', 'owner') $$,
  'NTFND', null, 'An unknown role is refused.'
);
select throws_ok(
  $$ select hospital.grant_account_role('nobody@example.test', 'nurse') $$,
  'NTFND', null, 'An unknown address is refused.'
);
select throws_ok(
  'select hospital.grant_account_role(null, null)', 'NTFND', null, 'Nothing is refused.'
);
select tests.clear_authentication();
select is(
  array(select role from hospital_private.account_roles as r
    join hospital_private.accounts as a on a.id = r.account_id
    where email = 'nurse@example.test' order by role),
  array['nurse', 'reception'], 'The account holds both roles.'
);

-- ### everybody else
create function pg_temp.try_it() returns text
language sql
as $$ select (tests.failure($q$select hospital.grant_account_role('ann@example.test', 'administrator')$q$)).code $$;
select tests.authenticate_as('ann@example.test');
select is(pg_temp.try_it(), '42501', 'A patient may not.');
select tests.clear_authentication();
select tests.authenticate_as('doc@example.test');
select is(pg_temp.try_it(), '42501', 'A doctor may not.');
select tests.clear_authentication();
select tests.authenticate_as('nurse@example.test', 'reception');
select is(pg_temp.try_it(), '42501', 'Reception may not.');
select tests.be_anonymous();
select is(pg_temp.try_it(), '42501', 'A visitor may not.');
select tests.clear_authentication();
set local role hospital_administrator;
select is(
  pg_temp.try_it(),
  'UNAUT', 'The administrators'' database role without a session may not.'
);
select * from finish();
rollback;

-- The first administrator comes from the command line, as the owner.
begin;
select no_plan();

select tests.be_owner();
select lives_ok(
  $$ select hospital_private.create_administrator(' Boss@Example.Test ', 'a long password') $$,
  'The owner makes an administrator.'
);
select throws_ok(
  $$ select hospital_private.create_administrator('two@example.test', 'short') $$,
  'WEAKP', null, 'Not with a short password.'
);
select tests.be_anonymous();
select is(
  (hospital.log_in('boss@example.test', 'a long password')).role, 'administrator',
  'He logs in with it.'
);
select is(
  array(
    select r.rolname
    from pg_catalog.pg_roles as r
    where r.rolname like 'hospital\_%'
      and r.rolname <> 'hospital_owner'
      and has_function_privilege(r.oid, 'hospital_private.create_administrator(text, text)', 'execute')
  ),
  '{}', 'No other role may make one.'
);
select * from finish();
rollback;

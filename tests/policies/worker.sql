-- What hospital_worker may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();
select set_config('role', 'hospital_worker', true);
select throws_ok(
  'select * from ops.job_runs',
  '42501', null, 'Not even the diary it writes through functions.'
);
select throws_ok('select * from hospital_private.accounts', '42501', null, 'Nor accounts.');
select tests.clear_authentication();
select is(
  array(select g.rolname::text from pg_catalog.pg_auth_members as m join pg_catalog.pg_roles as g on g.oid = m.roleid
    join pg_catalog.pg_roles as r on r.oid = m.member where r.rolname = 'hospital_worker' and g.rolname like 'hospital\_%'),
  '{}', 'It is a member of no role of ours.'
);
select * from finish();
rollback;

-- Staff get their accounts from an administrator, person, account and role at once.
begin;
select no_plan();

select tests.staff('administrator', null, 'boss@example.test');
select tests.staff('reception', null, 'desk@example.test');
select tests.patient('ann@example.test');
create temporary table place on commit drop as select tests.department() as department_id;
grant select on place to public;
create function pg_temp.register(email text, job text, role text, password text default 'long enough')
returns bigint
language sql
as $$
  select (hospital.register_staff_member('Nora', 'New', job, department_id, role, email, password)).id
  from place;
$$;

select tests.authenticate_as('boss@example.test');
select ok(pg_temp.register('Nora@Example.test', 'nurse', 'nurse') is not null, 'An administrator registers a nurse.');
select tests.clear_authentication();
select is((hospital.log_in('nora@example.test', 'long enough')).role, 'nurse', 'She logs in as one.');
select tests.authenticate_as('nora@example.test');
select is((hospital.current_account()).department_id, department_id, 'In her department.') from place;
select tests.clear_authentication();

select tests.authenticate_as('boss@example.test');
select throws_ok(
  $$ select pg_temp.register('x@example.test', 'doctor', 'nurse') $$,
  'PRMSN', null, 'Doctors register themselves.'
);
select throws_ok(
  $$ select pg_temp.register('x@example.test', 'nurse', 'doctor') $$,
  'NTFND', null, 'Nobody becomes a doctor by a role.'
);
select throws_ok(
  $$ select pg_temp.register('x@example.test', 'nurse', 'patient') $$,
  'NTFND', null, 'Nor a patient.'
);
select throws_ok(
  $$ select pg_temp.register('ann@example.test', 'nurse', 'nurse') $$,
  '23505', null, 'An address has one account.'
);
select throws_ok(
  $$ select pg_temp.register('x@example.test', 'nurse', 'nurse', 'short') $$,
  'WEAKP', null, 'A short password is refused.'
);
select throws_ok(
  $$ select hospital.grant_account_role('ann@example.test', 'nurse') $$,
  'NTFND', null, 'A patient''s account gets no role of the staff.'
);
select throws_ok(
  $$ select hospital.grant_account_role('ann@example.test', 'administrator') $$,
  'NTFND', null, 'Least of all this one.'
);
select tests.clear_authentication();
select is(count(*), 0::bigint, 'What was refused left nobody behind.')
from hospital.staff_members as m
where m.given_name = 'Nora'
  and not exists (
    select
    from hospital_private.accounts as a
    where a.staff_member_id = m.id
  );

select tests.authenticate_as('desk@example.test');
select throws_ok(
  $$ select pg_temp.register('x@example.test', 'nurse', 'nurse') $$,
  '42501', null, 'Reception may not.'
);
select tests.clear_authentication();
select * from finish();
rollback;

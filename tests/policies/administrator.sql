-- What hospital_administrator may not do, by attempts; what the role may do is in tests/contract/access-matrix.txt.
begin;
select no_plan();
select tests.world();

select tests.authenticate_as('administrator@example.test');
select is(
  tests.would_be($$update hospital.doctors set approved_at = now()$$),
  '42501', 'He approves by the function alone, which gives the role with it.'
);
select is(
  tests.would_be($$update hospital.doctors set licence = 'x'$$),
  '42501', 'He changes no licence.'
);
select is(
  tests.would_be($$insert into hospital.patients (given_name, family_name, date_of_birth, sex) values ('A', 'B', '1990-01-01', 'male')$$),
  '42501', 'He registers by the function alone.'
);
select is(
  tests.would_be('select hospital_private.create_administrator(''x@example.test'', ''a long password'')'),
  '42501', 'He makes no administrator past the one function.'
);

select tests.clear_authentication();
select * from finish();
rollback;

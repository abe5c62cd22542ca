-- bcrypt ignores what follows the 72nd byte, so nothing longer may ever be accepted.
begin;
select no_plan();

select throws_ok(
  format('select hospital_private.hash_password(%L)', repeat('x', 9)),
  'WEAKP', 'The password is too short.', 'Nine characters are too few.'
);
select throws_ok(
  'select hospital_private.hash_password(null)', 'WEAKP', null, 'No password is too short.'
);
select throws_ok(
  format('select hospital_private.hash_password(%L)', repeat('x', 73)),
  'PWLEN', 'The password is too long.', '73 bytes are too many.'
);
select throws_ok(
  format('select hospital_private.hash_password(%L)', repeat('ü', 37)),
  'PWLEN', null, 'Bytes count and not characters: 37 letters of two bytes are too many.'
);
select matches(
  hospital_private.hash_password(repeat('ü', 36)), '^\$2a\$10\$', '72 bytes are hashed, at cost 10.'
);
select isnt(
  hospital_private.hash_password('the same password'),
  hospital_private.hash_password('the same password'),
  'Every hash has a salt of its own.'
);

-- ### the same at registration
select tests.be_anonymous();
select throws_ok(
  format(
    $$ select hospital.register_patient('A', 'B', '1990-01-01', 'male', 'long@example.test', %L) $$,
    repeat('x', 73)
  ),
  'PWLEN', null, 'A patient cannot register with a password of 73 bytes.'
);
select lives_ok(
  format(
    $$ select hospital.register_patient('A', 'B', '1990-01-01', 'male', 'long@example.test', %L) $$,
    repeat('x', 72)
  ),
  'A patient can register with a password of 72 bytes.'
);
-- ### and at log-in
select is(
  (hospital.log_in('long@example.test', repeat('x', 72))).outcome, 'granted',
  'He logs in with these 72 bytes.'
);
select is(
  (hospital.log_in('long@example.test', repeat('x', 73))).outcome, 'refused',
  'One byte more is refused and not cut off.'
);
select is(
  (hospital.log_in('long@example.test', repeat('x', 71))).outcome, 'refused',
  'One byte less is refused.'
);

select tests.clear_authentication();
select is(
  tests.constraint_of($$update hospital_private.accounts set password_hash = 'secret'$$),
  'accounts_password_hashed_well', 'A password in clear cannot be stored.'
);
select is(
  tests.constraint_of(
    $$update hospital_private.accounts
    set password_hash = extensions.crypt('some password', extensions.gen_salt('bf', 6))$$
  ),
  'accounts_password_hashed_well', 'A cheap hash cannot be stored.'
);
select * from finish();
rollback;

-- A log-in either starts a session or says no, and says no in one way only.
begin;
select no_plan();

create function pg_temp.outcome(email text, password text, role text default null)
returns text
language sql
as $$ select l.outcome from hospital.log_in($1, $2, $3) as l $$;

select tests.patient('ann@example.test');
select tests.doctor(null, 'doc@example.test');

-- ### a visitor with the right password
select tests.be_anonymous();
create temporary table granted on commit drop as
select * from hospital.log_in('ann@example.test', tests.password());
select is(outcome, 'granted', 'The right password starts a session.') from granted;
select is(role, 'patient', 'The session has the role the account holds.') from granted;
select ok(
  session_secret ~ '^[0-9a-f]{64}$' and refresh_token ~ '^[0-9a-f]{64}$'
    and session_secret <> refresh_token,
  'Both secrets are 256 random bits.'
) from granted;
select ok(
  expires_at between clock_timestamp() and clock_timestamp() + interval '15 minutes',
  'Access lasts a quarter of an hour.'
) from granted;
select is(
  pg_temp.outcome('  ANN@Example.Test ', tests.password()), 'granted',
  'The address is read without its case and the spaces around it.'
);
select tests.clear_authentication();
select is(
  count(*), 2::bigint, 'Each log-in is a session of its own.'
) from hospital_private.sessions;
select ok(
  not exists (
    select
    from hospital_private.sessions as s, granted as g
    where encode(s.secret_hash, 'hex') = g.session_secret
  ),
  'The secret itself is not stored.'
);

-- ### a visitor with something else
select tests.be_anonymous();
select is(pg_temp.outcome('ann@example.test', 'wrong'), 'refused', 'A wrong password is refused.');
select is(pg_temp.outcome('ann@example.test', ''), 'refused', 'An empty password is refused.');
select is(pg_temp.outcome('ann@example.test', null), 'refused', 'No password is refused.');
select is(pg_temp.outcome(null, null), 'refused', 'No address is refused.');
select is(pg_temp.outcome('', ''), 'refused', 'An empty address is refused.');
select is(
  pg_temp.outcome('nobody@example.test', tests.password()), 'refused',
  'An unknown address is refused in the same way.'
);
select is(
  pg_temp.outcome(repeat('x', 1000000), repeat('y', 1000000)), 'refused',
  'A million letters are refused.'
);
select results_eq(
  $$ select * from hospital.log_in('ann@example.test', 'wrong') $$,
  $$ select * from hospital.log_in('nobody@example.test', 'wrong') $$,
  'A wrong password and an unknown address give the same answer to the last field.'
);
select is(
  pg_temp.outcome('ann@example.test', tests.password(), 'doctor'), 'refused',
  'A role the account does not hold is refused.'
);
select is(
  pg_temp.outcome('ann@example.test', tests.password(), 'staff'), 'refused',
  'A word that is no role is refused.'
);

-- ### an account with several roles
select tests.clear_authentication();
insert into hospital_private.account_roles (account_id, role, granted_at)
select id, 'administrator', now() + interval '1 second'
from hospital_private.accounts
where email = 'doc@example.test';
select tests.be_anonymous();
select is(
  (hospital.log_in('doc@example.test', tests.password(), 'administrator')).role, 'administrator',
  'The role asked for is the session''s.'
);
select is(
  (hospital.log_in('doc@example.test', tests.password())).role, 'doctor',
  'Without a wish it is the role held longest.'
);

-- ### accounts that may not log in
select tests.clear_authentication();
select tests.account('none@example.test', null);
select tests.patient('off@example.test');
update hospital_private.accounts set disabled_at = now() where email = 'off@example.test';
update hospital.doctors set deactivated_at = now();
select tests.be_anonymous();
select is(
  pg_temp.outcome('none@example.test', tests.password()), 'refused',
  'An account without a role is refused.'
);
select is(
  pg_temp.outcome('off@example.test', tests.password()), 'refused',
  'A disabled account is refused.'
);
select is(
  pg_temp.outcome('doc@example.test', tests.password(), 'doctor'), 'refused',
  'A doctor who is no longer active cannot log in as a doctor.'
);
select is(
  pg_temp.outcome('doc@example.test', tests.password()), 'granted',
  'But he can in another role he holds.'
);
select * from finish();
rollback;

-- Five wrong passwords in a row lock the account, whatever the right one is.
begin;
select no_plan();

create function pg_temp.outcome(email text, password text)
returns text
language sql
as $$ select l.outcome from hospital.log_in($1, $2) as l $$;
select tests.patient('ann@example.test');
select tests.patient('bob@example.test');
select tests.be_anonymous();

select pg_temp.outcome('ann@example.test', 'wrong') from generate_series(1, 4);
select is(
  pg_temp.outcome('ann@example.test', tests.password()), 'granted',
  'After four failures the right password still works.'
);
select pg_temp.outcome('ann@example.test', 'wrong') from generate_series(1, 4);
select is(
  pg_temp.outcome('ann@example.test', tests.password()), 'granted',
  'A success starts the count again.'
);
select pg_temp.outcome('ann@example.test', 'wrong') from generate_series(1, 5);
select is(
  pg_temp.outcome('ann@example.test', tests.password()), 'refused',
  'After five failures the right password does not work either.'
);
select is(
  pg_temp.outcome('bob@example.test', tests.password()), 'granted',
  'Another account is not locked.'
);
select results_eq(
  $$ select * from hospital.log_in('ann@example.test', tests.password()) $$,
  $$ select * from hospital.log_in('nobody@example.test', 'wrong') $$,
  'A locked account answers as an unknown one does.'
);

select tests.clear_authentication();
select ok(
  locked_until between clock_timestamp() + interval '14 minutes'
    and clock_timestamp() + interval '15 minutes',
  'The lock lasts a quarter of an hour.'
)
from hospital_private.accounts
where email = 'ann@example.test';
select is(failed_attempts, 5, 'Attempts during the lock are not counted.')
from hospital_private.accounts
where email = 'ann@example.test';

update hospital_private.accounts set locked_until = clock_timestamp();
select tests.be_anonymous();
select is(
  pg_temp.outcome('ann@example.test', tests.password()), 'granted', 'When the lock has ended the right password works.'
);

-- 500 tries aliased into one request are 500 tries.
select pg_temp.outcome('bob@example.test', 'wrong ' || n) from generate_series(1, 8) as n;
select is(
  pg_temp.outcome('bob@example.test', tests.password()), 'refused',
  'Many attempts in one statement close the lock as well.'
);
select tests.clear_authentication();
select is(failed_attempts, 5, 'And only five of them were looked at.')
from hospital_private.accounts
where email = 'bob@example.test';
select * from finish();
rollback;

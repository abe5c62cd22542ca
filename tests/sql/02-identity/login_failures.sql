-- Where too many refusals come from, no password is tried any more; nobody else notices.
begin;
select no_plan();
select tests.patient('ann@example.test');

create function pg_temp.outcome_from(address text, password text) returns text
language plpgsql
as $$
begin
  perform set_config('infirmary.client_address', $1, true);
  return (hospital.log_in('ann@example.test', $2)).outcome;
end;
$$;
create function pg_temp.refused(network inet, count integer, ago interval default '0') returns void
language sql
as $$
  insert into hospital_private.login_failures (client_network, failed_at)
  select $1, clock_timestamp() - $3 from generate_series(1, $2);
$$;

select pg_temp.refused('192.0.2.1', 99);
select is(pg_temp.outcome_from('192.0.2.1', tests.password()), 'granted', 'After 99 refusals the right password works,');
select is(pg_temp.outcome_from('192.0.2.1', 'wrong'), 'refused', 'the hundredth is still an answer,');
select is(pg_temp.outcome_from('192.0.2.1', tests.password()), 'throttled', 'and then there is none.');
select is(pg_temp.outcome_from('192.0.2.1', 'wrong'), 'throttled', 'Right and wrong are told alike.');
select is(
  count(*), 100::bigint, 'What is not tried is not counted.'
) from hospital_private.login_failures where client_network = '192.0.2.1';
select is(pg_temp.outcome_from('192.0.2.2', tests.password()), 'granted', 'From elsewhere it works.');

select pg_temp.refused('2001:db8:0:1::/64', 100);
select is(
  pg_temp.outcome_from('2001:db8:0:1:ffff::9', tests.password()),
  'throttled', 'All of a /64 is one network,'
);
select is(pg_temp.outcome_from('2001:db8:0:2::9', tests.password()), 'granted', 'and the next one another.');

select pg_temp.refused('192.0.2.3', 200, '16 minutes');
select is(pg_temp.outcome_from('192.0.2.3', tests.password()), 'granted', 'A quarter of an hour later all is well.');

select pg_temp.refused('192.0.2.4', 12, '25 hours');
select pg_temp.outcome_from('192.0.2.5', 'wrong');
select is(
  count(*), 2::bigint, 'A new refusal takes ten of the day before along.'
) from hospital_private.login_failures where client_network = '192.0.2.4';

select is(
  pg_temp.outcome_from('no address', tests.password()),
  'granted', 'Where the client''s address is none, the connection''s own counts,'
);
select is(
  hospital_private.login_network(),
  coalesce(inet_client_addr(), '0.0.0.0'), 'and there is always one.'
);
select * from finish();
rollback;

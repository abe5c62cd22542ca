-- A refresh token works once; if it comes back a second time somebody copied it.
begin;
select no_plan();

select tests.patient('ann@example.test');
create temporary table token (name text, value text, secret text);
grant all on token to public;
create function pg_temp.refresh(from_name text, to_name text)
returns text
language sql
as $$
  with
  result as (
    select r.*
    from token as t
    cross join lateral hospital.refresh_session(t.value) as r
    where t.name = from_name
  ),
  kept as (
    insert into token
    select to_name, r.refresh_token, r.session_secret
    from result as r
  )
  select outcome from result;
$$;
insert into token
select 'first', s.refresh_token, s.session_secret
from tests.new_session('ann@example.test') as s;

select tests.be_anonymous();
select is(pg_temp.refresh('first', 'second'), 'granted', 'A new token is exchanged.');
select is(pg_temp.refresh('second', 'third'), 'granted', 'And so is the one it was exchanged for.');
select is(count(distinct value), 3::bigint, 'Each token is another.') from token;
select is(count(distinct secret), 3::bigint, 'Each secret is another.') from token;

select tests.clear_authentication();
select set_config('infirmary.session_id', id::text, true) from hospital_private.sessions;
select set_config('role', 'hospital_patient', true);
select set_config('infirmary.session_secret', secret, true) from token where name = 'third';
select is((hospital.current_account()).email, 'ann@example.test', 'The newest secret is alive.');
select set_config('infirmary.session_secret', secret, true) from token where name = 'second';
select is((hospital.current_account()).email, null, 'The one before is dead at once.');

-- ### the thief
select tests.be_anonymous();
select is(pg_temp.refresh('second', 'thief'), 'refused', 'A used token is refused.');
select is(
  pg_temp.refresh('third', 'owner'), 'refused',
  'And it ended the session: the good token is refused too.'
);
select tests.clear_authentication();
select is(revoked_reason, 'refresh_reused', 'The session says why it ended.')
from hospital_private.sessions;

-- ### tokens that are none
select tests.be_anonymous();
select is((hospital.refresh_session(null)).outcome, 'refused', 'No token is refused.');
select is((hospital.refresh_session('')).outcome, 'refused', 'An empty token is refused.');
select is(
  (hospital.refresh_session(repeat('0', 1000000))).outcome,
  'refused', 'A million zeros are refused.'
);
select is(
  (hospital.refresh_session(encode(sha256(convert_to(value, 'UTF8')), 'hex'))).outcome, 'refused',
  'The hash of a token is no token.'
) from token where name = 'first';

-- ### sessions that have ended in another way
create function pg_temp.fresh() returns void
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  delete from token;
  insert into token
  select 'first', s.refresh_token, s.session_secret
  from tests.new_session('ann@example.test') as s;
end;
$$;
select pg_temp.fresh();
update hospital_private.sessions set revoked_at = now(), revoked_reason = 'logged_out' where revoked_at is null;
select is(
  pg_temp.refresh('first', 'x'),
  'refused', 'After logging out there is nothing to refresh.'
);
select pg_temp.fresh();
update hospital_private.sessions
set access_expires_at = now() - interval '1 second', expires_at = now() - interval '1 second';
select is(
  pg_temp.refresh('first', 'x'),
  'refused', 'After twelve hours there is nothing to refresh.'
);
select pg_temp.fresh();
update hospital_private.sessions
set access_expires_at = now() - interval '1 second'
where revoked_at is null;
select is(pg_temp.refresh('first', 'x'), 'granted', 'After a quarter of an hour there is.');
select pg_temp.fresh();
update hospital_private.sessions
set access_expires_at = now(), expires_at = clock_timestamp() + interval '1 minute'
where revoked_at is null;
select pg_temp.refresh('first', 'second');
select ok(bool_and(access_expires_at <= expires_at), 'Refreshed access never outlives the session.')
from hospital_private.sessions;
select pg_temp.fresh();
update hospital_private.accounts set disabled_at = now();
select is(pg_temp.refresh('first', 'x'), 'refused', 'A disabled account refreshes nothing.');
select * from finish();
rollback;

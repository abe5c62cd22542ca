-- A session's id alone is worth nothing, and a session counts only while it lives, in its own role.
begin;
select no_plan();

select tests.patient('ann@example.test');
select tests.patient('bob@example.test');
select tests.doctor(null, 'doc@example.test');
create temporary table login as
select
  a.name,
  s.*
from (values ('ann'), ('bob'), ('doc')) as a (name)
cross join lateral tests.new_session(a.name || '@example.test') as s;
grant select on login to public;

create function pg_temp.claim(id text, secret text, role text)
returns void
language sql
as $$
  select
    set_config('infirmary.session_id', $1, true),
    set_config('infirmary.session_secret', $2, true),
    set_config('role', $3, true);
$$;
create function pg_temp.me() returns text
language sql
as $$ select (hospital.current_account()).email $$;

-- ### Ann
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_patient')
from login as l
where name = 'ann';
select is(pg_temp.me(), 'ann@example.test', 'Id and secret together are Ann.');
select is(count(*), 1::bigint, 'She sees one patient.') from hospital.patients;

-- ### forgeries
select set_config('infirmary.session_secret', '', true);
select is(pg_temp.me(), null, 'The id without the secret is nobody.');
select is(count(*), 0::bigint, 'And sees no patient.') from hospital.patients;
select pg_temp.claim(bob.session_id::text, ann.session_secret, 'hospital_patient')
from login as ann, login as bob
where ann.name = 'ann' and bob.name = 'bob';
select is(pg_temp.me(), null, 'The id of Bob with the secret of Ann is nobody.');
select is(count(*), 0::bigint, 'And sees no patient, neither Ann nor Bob.') from hospital.patients;
select pg_temp.claim(
  l.session_id::text, encode(sha256(convert_to(l.session_secret, 'UTF8')), 'hex'), 'hospital_patient'
)
from login as l
where name = 'bob';
select is(pg_temp.me(), null, 'The hash of the secret, which a backup shows, is no secret.');
select pg_temp.claim(upper(l.session_id::text), l.session_secret, 'hospital_patient')
from login as l
where name = 'ann';
select is(pg_temp.me(), null, 'An id in another spelling is nobody.');
select pg_temp.claim('''; drop table hospital.patients; --', 'x', 'hospital_patient');
select is(pg_temp.me(), null, 'A malformed id is nobody and no error.');
select pg_temp.claim(repeat('0', 100000), repeat('0', 100000), 'hospital_patient');
select is(pg_temp.me(), null, 'An endless id is nobody and no error.');
select pg_temp.claim(gen_random_uuid()::text, '', 'hospital_patient');
select is(pg_temp.me(), null, 'A session that never was is nobody.');

-- ### a session in a role that is not its own
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_doctor')
from login as l
where name = 'ann';
select is(pg_temp.me(), null, 'Ann''s session in the database role of doctors is nobody.');
select is(count(*), 0::bigint, 'And reads no doctor.') from hospital.doctors;
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_administrator')
from login as l
where name = 'ann';
select is(
  count(*),
  0::bigint, 'In that of administrators it reads no patient.'
) from hospital.patients;
select throws_ok(
  'select hospital.approve_doctor(1)', 'UNAUT', 'Log in first.', 'And approves nobody.'
);
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_patient')
from login as l
where name = 'doc';
select is(
  count(*),
  0::bigint, 'A doctor''s session in the role of patients reads no doctor.'
) from hospital.doctors;
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_anonymous')
from login as l
where name = 'ann';
select is(pg_temp.me(), null, 'In the role of visitors it is nobody.');

-- ### the end of a session, of every kind
create function pg_temp.again() returns text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_' || l.role)
from login as l
where name = 'ann';
  return pg_temp.me();
end;
$$;
select is(pg_temp.again(), 'ann@example.test', 'Ann is still logged in.');
select tests.clear_authentication();
savepoint alive;
update hospital_private.sessions set access_expires_at = clock_timestamp() - interval '1 second';
select is(pg_temp.again(), null, 'Expired access is nobody.');
rollback to alive;
update hospital_private.sessions set revoked_at = now(), revoked_reason = 'revoked';
select is(pg_temp.again(), null, 'A revoked session is nobody.');
rollback to alive;
update hospital_private.accounts set disabled_at = now();
select is(pg_temp.again(), null, 'A disabled account''s session is nobody.');
rollback to alive;
delete from hospital_private.account_roles;
select is(pg_temp.again(), null, 'The session of a role taken away is nobody.');
rollback to alive;

-- ### the doctor
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_doctor')
from login as l
where name = 'doc';
select is(count(*), 1::bigint, 'An active doctor reads the directory.') from hospital.doctors;
select tests.clear_authentication();
update hospital.doctors set deactivated_at = now();
select pg_temp.claim(l.session_id::text, l.session_secret, 'hospital_doctor')
from login as l
where name = 'doc';
select is(pg_temp.me(), null, 'A doctor who was deactivated has no session left in that role.');
select is(count(*), 0::bigint, 'And reads nothing.') from hospital.doctors;
select tests.clear_authentication();
select * from finish();
rollback;

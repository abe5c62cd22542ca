-- What holds for every persona alike: no live session, nothing of anyone; nothing is ever deleted;
-- and nobody climbs from one role into another's rights.
begin;
select no_plan();
select tests.world();
create temporary table personas on commit drop as
select r.name, case r.name when 'patient' then 'ann' when 'doctor' then 'dora' else r.name end || '@example.test' as email
from hospital_private.roles as r;
grant select on personas to public;

-- What can be seen without a session is what a visitor sees, at most.
create function pg_temp.seen_as(role text, id text, secret text) returns setof text
language plpgsql
as $$
begin
  perform tests.clear_authentication();
  perform set_config('infirmary.session_id', id, true);
  perform set_config('infirmary.session_secret', secret, true);
  perform set_config('role', 'hospital_' || $1, true);
  return query select s.relation || ': ' || s.rows from tests.sees() as s where s.rows not in ('denied', 'none');
  perform tests.clear_authentication();
end;
$$;
select is(
  array(select pg_temp.seen_as(p.name, '', '')),
  '{}', format('The database role of %s without a session sees nothing.', p.name)
) from personas as p;
select is(
  array(select pg_temp.seen_as(p.name, gen_random_uuid()::text, 'x')),
  '{}', format('With a session that never was %s sees nothing.', p.name)
) from personas as p;

create temporary table logins on commit drop as
select p.name, s.session_id::text as id, s.session_secret as secret
from personas as p
cross join lateral tests.new_session(p.email) as s;
grant select on logins to public;
-- Every session in every other database role.
select is(
  array(select pg_temp.seen_as(p.name, l.id, l.secret)), '{}',
  format('The session of %s in the database role of %s sees nothing.', l.name, p.name)
)
from logins as l
join personas as p
  on p.name <> l.name;
update hospital_private.sessions set revoked_at = now(), revoked_reason = 'revoked';
select is(
  array(select pg_temp.seen_as(l.name, l.id, l.secret)),
  '{}', format('A revoked session of %s sees nothing.', l.name)
) from logins as l;

-- Nothing is deleted but hours and who is assigned to an appointment, by those who keep them: they are
-- no record of anybody.
create function pg_temp.writes_as(role name) returns setof text
language plpgsql
as $$
begin
  perform set_config('role', $1, true);
  return query select w.command || ' ' || w.relation from tests.may_write() as w
    where w.command not in ('insert', 'update')
      and not (
        w.command = 'delete'
        and w.relation in ('doctor_schedules', 'doctor_time_off', 'doctor_extra_sessions')
        and $1 in ('hospital_doctor', 'hospital_reception', 'hospital_administrator')
      )
      and not (
        w.command = 'delete'
        and w.relation = 'appointment_staff'
        and $1 in (
          'hospital_doctor', 'hospital_nurse', 'hospital_reception', 'hospital_administrator'
        )
      );
  perform set_config('role', 'none', true);
end;
$$;
select is(array(select pg_temp.writes_as(r.rolname)), '{}', format('%s deletes no record, truncates and references nothing.', r.rolname))
from pg_catalog.pg_roles as r
where r.rolname like 'hospital\_%'
  and r.rolname <> 'hospital_owner';

-- The API's own connection, and the operators', before they become anybody.
create function pg_temp.seen_by(role name) returns setof text
language plpgsql
as $$
begin
  perform set_config('role', $1, true);
  return query select s.relation || ': ' || s.rows from tests.sees() as s where s.rows <> 'denied';
  return query select tests.may_execute();
  perform set_config('role', 'none', true);
end;
$$;
select is(array(select pg_temp.seen_by('hospital_authenticator')), '{}', 'hospital_authenticator by itself sees and calls nothing.');
select is(
  array(select s from pg_temp.seen_by('hospital_monitor') as s where s not like 'ops.%'),
  '{}', 'hospital_monitor sees nothing of the hospital, and calls what is for operators alone.'
);

-- What lends the owner's right is reached by those it is meant for.
select is(
  array(
    select f.oid::regproc || ' by ' || r.rolname
    from pg_catalog.pg_proc as f
    cross join pg_catalog.pg_roles as r
    where f.pronamespace in ('hospital_private'::regnamespace, 'audit'::regnamespace)
      and f.proname in (
        'start_session', 'hash_password', 'create_administrator', 'current_session', 'require_role',
        'working_time', 'available_time', 'reset_access', 'allow_reading', 'client_address',
        'offer_freed_time', 'offers_left', 'fitting_slot', 'make_offer',
        'current_viewer', 'treated_patient_ids', 'patients_of_doctor', 'patients_treated_by', 'department_day', 'is_on_duty', 'chart_ground',
        'record_chart_access', 'is_restricted', 'require_glass_reviewed',
        'same_person_ids', 'comes_of_age_at', 'proxy_ends_at', 'is_live_proxy', 'visible_proxy',
        'login_network', 'login_throttled', 'note_login_failure'
      )
      and r.rolname like 'hospital\_%'
      and r.rolname <> 'hospital_owner'
      and has_function_privilege(r.oid, f.oid, 'execute')
  ),
  '{}', 'The helpers behind identity, free time, offers, charts and proxies are called through functions only.'
);
select is(
  array(
    select f.oid::regproc || ' by ' || r.rolname
    from pg_catalog.pg_proc as f
    cross join pg_catalog.pg_roles as r
    where f.prorettype = 'trigger'::regtype
      and f.pronamespace in ('hospital_private'::regnamespace, 'hospital'::regnamespace, 'audit'::regnamespace)
      and r.rolname like 'hospital\_%'
      and r.rolname <> 'hospital_owner'
      and has_function_privilege(r.oid, f.oid, 'execute')
  ),
  '{}', 'Nobody hangs a definer trigger of ours onto a table of his own.'
);
select is(
  array(
    select n.nspname || ' by ' || r.rolname
    from pg_catalog.pg_namespace as n
    cross join pg_catalog.pg_roles as r
    where n.nspname !~ '^(pg_|information_schema|tap|tests|graphile)'
      and r.rolname like 'hospital\_%'
      and r.rolname <> 'hospital_owner'
      and has_schema_privilege(r.oid, n.oid, 'create')
  ),
  '{}', 'Nobody but the owner makes objects in any schema.'
);

-- A name put in front of ours is not taken for it.
select tests.authenticate_as('ann@example.test');
create temporary table sessions (id uuid);
create temporary table accounts (id bigint, patient_id bigint);
create function pg_temp.sha256(bytea) returns bytea language sql as $$ select ''::bytea $$;
create function pg_temp.current_setting(text, boolean) returns text language sql as $$ select 'x' $$;
set local search_path = pg_temp, tap, tests, pg_catalog;
select is(
  (hospital.current_account()).email,
  'ann@example.test', 'Tables and functions of the same name in front change nothing.'
);
select is(count(*), 1::bigint, 'She still sees herself alone.') from hospital.patients;
select tests.clear_authentication();
select * from finish();
rollback;

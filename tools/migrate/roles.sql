-- Every database role of Infirmary: run once per cluster, by `infirmary roles apply` or with psql.
--
-- Roles belong to the cluster and not to a database, so no migration may create them. The file is
-- idempotent and says what it does: NOTICE is a change, WARNING asks for a DBA, INFO is something
-- of the DBA's own that was left alone. It never sets a password (the command does, when given one).
--
-- A superuser can run all of it. A role with CREATEROLE can run all but the attributes of
-- hospital_backup (REPLICATION, BYPASSRLS) and the grants of pg_… roles: those become warnings.

begin;

create temporary table wanted_role (
  name        name primary key,
  login       boolean not null,
  inherit     boolean not null,
  replication boolean not null,
  bypassrls   boolean not null,
  purpose     text not null
) on commit drop;

-- Nobody is superuser, creates databases or creates roles.
insert into pg_temp.wanted_role values
  -- role                   login  inherit replic bypass purpose
  ('hospital_anonymous',     false, true,  false, false, 'A request without a session.'),
  ('hospital_patient',       false, true,  false, false, 'A patient, who sees the own record.'),
  ('hospital_doctor',        false, true,  false, false, 'A doctor, who treats patients.'),
  ('hospital_staff',         false, true,  false, false, 'What all staff share.'),
  ('hospital_nurse',         false, true,  false, false, 'A nurse.'),
  ('hospital_reception',     false, true,  false, false, 'The reception: books and checks in.'),
  ('hospital_pharmacist',    false, true,  false, false, 'A pharmacist.'),
  ('hospital_laboratory',    false, true,  false, false, 'The laboratory.'),
  ('hospital_billing',       false, true,  false, false, 'A billing clerk.'),
  ('hospital_administrator', false, true,  false, false, 'An administrator of the hospital.'),
  ('hospital_analyst',       false, true,  false, false, 'An analyst, who sees masked data only.'),
  ('hospital_auditor',       false, true,  false, false, 'An auditor, who reads the audit log.'),
  ('hospital_owner',         true,  true,  false, false, 'Owns the objects and runs migrations.'),
  -- NOINHERIT: until it says `set role`, the API's connection may do nothing at all.
  ('hospital_authenticator', true,  false, false, false, 'The API: becomes one of the groups.'),
  ('hospital_worker',        true,  true,  false, false, 'Runs the jobs and nothing else.'),
  -- A logical dump of tables with forced row security fails without BYPASSRLS.
  ('hospital_backup',        true,  true,  true,  true,  'Takes backups, so it reads everything.'),
  ('hospital_monitor',       true,  true,  false, false, 'Reads the statistics views.');

create temporary table wanted_membership (
  granted  name not null,
  member   name not null,
  inherits boolean not null,
  primary key (granted, member)
) on commit drop;

insert into pg_temp.wanted_membership values
  ('hospital_staff', 'hospital_nurse', true),
  ('hospital_staff', 'hospital_reception', true),
  ('hospital_staff', 'hospital_pharmacist', true),
  ('hospital_staff', 'hospital_laboratory', true),
  ('pg_read_all_data', 'hospital_backup', true),
  ('pg_monitor', 'hospital_monitor', true);

-- The API may become every group (set) and has nothing from any of them (no inherit).
insert into pg_temp.wanted_membership
select role.name, 'hospital_authenticator', false
from pg_temp.wanted_role as role
where not role.login;

create temporary table wanted_setting (
  role  name not null,
  name  text not null,
  value text not null
) on commit drop;

-- A stuck request or job must not hold locks for ever. A value the DBA chose is kept.
insert into pg_temp.wanted_setting values
  ('hospital_authenticator', 'statement_timeout', '10s'),
  ('hospital_authenticator', 'lock_timeout', '5s'),
  ('hospital_authenticator', 'idle_in_transaction_session_timeout', '15s'),
  -- The API says both too, but once for each of its connections: through a pooler that reaches one server process.
  ('hospital_authenticator', 'application_name', 'infirmary-api'),
  ('hospital_authenticator', 'jit_optimize_above_cost', '-1'),
  ('hospital_worker', 'statement_timeout', '15min'),
  ('hospital_worker', 'lock_timeout', '30s'),
  ('hospital_worker', 'idle_in_transaction_session_timeout', '60s'),
  ('hospital_monitor', 'statement_timeout', '10s');

do $roles$
declare
  -- 16 gave memberships their own options; before, a member inherits if its role does.
  has_options constant boolean := current_setting('server_version_num')::integer >= 160000;
  wanted      record;
  found_role  record;
  clauses     text;
begin
  -- Two deployers at once would meet in "tuple concurrently updated": the second one waits instead.
  perform pg_advisory_xact_lock(4677462437);

  for wanted in select * from pg_temp.wanted_role order by name loop
    if to_regrole(wanted.name) is null then
      execute format(
        'create role %I %s %s',
        wanted.name,
        case when wanted.login then 'login' else 'nologin' end,
        case when wanted.inherit then 'inherit' else 'noinherit' end
      );
      raise notice 'created role %', wanted.name;
    end if;

    select * into found_role from pg_catalog.pg_roles where rolname = wanted.name;

    -- Only what differs is altered: on 15 a CREATEROLE may not even repeat NOSUPERUSER.
    select string_agg(case when state.desired then state.clause else 'no' || state.clause end, ' ')
    into clauses
    from (values
      ('superuser', found_role.rolsuper, false),
      ('createdb', found_role.rolcreatedb, false),
      ('createrole', found_role.rolcreaterole, false),
      ('login', found_role.rolcanlogin, wanted.login),
      ('inherit', found_role.rolinherit, wanted.inherit),
      ('replication', found_role.rolreplication, wanted.replication),
      ('bypassrls', found_role.rolbypassrls, wanted.bypassrls)
    ) as state (clause, actual, desired)
    where state.actual <> state.desired;

    if clauses is not null then
      begin
        execute format('alter role %I %s', wanted.name, clauses);
        raise notice 'altered role %: %', wanted.name, clauses;
      exception
        when insufficient_privilege then
          raise warning 'a superuser must run: alter role % %', wanted.name, clauses;
      end;
    end if;

    if shobj_description(found_role.oid, 'pg_authid') is distinct from wanted.purpose then
      execute format('comment on role %I is %L', wanted.name, wanted.purpose);
    end if;
  end loop;

  -- Too much: a membership among our own roles that is not listed, or the right to pass one on.
  for wanted in
    select
      pg_get_userbyid(actual.roleid) as granted,
      pg_get_userbyid(actual.member) as member,
      pg_get_userbyid(actual.grantor) as grantor,
      pg_get_userbyid(actual.roleid) in (select name from pg_temp.wanted_role) as is_ours
    from pg_catalog.pg_auth_members as actual
    left join pg_temp.wanted_membership as listed
      on listed.granted = pg_get_userbyid(actual.roleid)
      and listed.member = pg_get_userbyid(actual.member)
    where pg_get_userbyid(actual.member) in (select name from pg_temp.wanted_role)
      and (listed.granted is null or actual.admin_option)
  loop
    if wanted.is_ours then
      execute format(
        'revoke %I from %I%s',
        wanted.granted,
        wanted.member,
        case when has_options then format(' granted by %I', wanted.grantor) else '' end
      );
      raise notice 'revoked % from %', wanted.granted, wanted.member;
    else
      raise info '% is a member of %, which is not ours: left alone', wanted.member, wanted.granted;
    end if;
  end loop;

  -- Too little. Read as jsonb, one query serves the catalogues of 15 and of 16.
  for wanted in
    select listed.*
    from pg_temp.wanted_membership as listed
    left join pg_catalog.pg_auth_members as actual
      on actual.roleid = to_regrole(listed.granted)
      and actual.member = to_regrole(listed.member)
    group by listed.granted, listed.member
    having count(actual.roleid) = 0
      or has_options and not bool_or(
        (to_jsonb(actual) ->> 'inherit_option')::boolean = listed.inherits
        and (to_jsonb(actual) ->> 'set_option')::boolean
      )
    order by listed.granted, listed.member
  loop
    clauses := format(
      'grant %I to %I%s',
      wanted.granted,
      wanted.member,
      case when has_options then format(' with inherit %s, set true', wanted.inherits::text) else '' end
    );
    begin
      execute clauses;
      raise notice 'granted % to %', wanted.granted, wanted.member;
    exception
      when insufficient_privilege then
        raise warning 'a superuser must run: %', clauses;
    end;
  end loop;

  for wanted in
    select listed.*, actual.value as actual_value
    from pg_temp.wanted_setting as listed
    left join lateral (
      select split_part(entry, '=', 2) as value
      from pg_catalog.pg_db_role_setting as stored
      cross join unnest(stored.setconfig) as entry
      where stored.setrole = to_regrole(listed.role)
        and stored.setdatabase = 0
        and split_part(entry, '=', 1) = listed.name
    ) as actual
      on true
    where actual.value is distinct from listed.value
  loop
    if wanted.actual_value is null then
      execute format('alter role %I set %I = %L', wanted.role, wanted.name, wanted.value);
      raise notice 'set % of % to %', wanted.name, wanted.role, wanted.value;
    else
      raise info '% of % is % (ours would be %): kept',
        wanted.name, wanted.role, wanted.actual_value, wanted.value;
    end if;
  end loop;
end
$roles$;

commit;

-- Our roles as tools/migrate/roles.sql wants them: attributes, and memberships in both directions.
select
  format('%s %s.', r.rolname, f.what) as problem,
  f.remedy
from pg_roles as r
cross join lateral (
  values
    (r.rolsuper, 'is a superuser', format('alter role %I nosuperuser', r.rolname)),
    (r.rolcreaterole, 'makes roles', format('alter role %I nocreaterole', r.rolname)),
    (r.rolcreatedb, 'makes databases', format('alter role %I nocreatedb', r.rolname)),
    (
      r.rolbypassrls and r.rolname <> 'hospital_backup',
      'passes row security',
      format('alter role %I nobypassrls', r.rolname)
    ),
    (
      r.rolreplication and r.rolname <> 'hospital_backup',
      'may copy the whole cluster',
      format('alter role %I noreplication', r.rolname)
    ),
    (
      r.rolinherit and r.rolname = 'hospital_authenticator',
      'has the rights of all whom it may become',
      'alter role hospital_authenticator noinherit'
    ),
    (
      r.rolcanlogin and r.rolname not in (
        'hospital_owner', 'hospital_authenticator', 'hospital_worker', 'hospital_backup',
        'hospital_monitor'
      ),
      'may log in',
      format('alter role %I nologin', r.rolname)
    )
) as f (is_so, what, remedy)
where r.rolname ~ '^hospital_'
  and f.is_so
union all
select
  format('%s is a member of %s.', m.member::regrole, m.roleid::regrole),
  format('revoke %s from %s', m.roleid::regrole, m.member::regrole)
from pg_auth_members as m
join pg_roles as granted
  on granted.oid = m.roleid
join pg_roles as member
  on member.oid = m.member
where (granted.rolname ~ '^hospital_' or member.rolname ~ '^hospital_')
  -- Who makes a role with CREATEROLE becomes its member, from PostgreSQL 16 on, and could do so at any time before.
  and not member.rolcreaterole
  and (granted.rolname, member.rolname) not in (
    ('hospital_staff', 'hospital_nurse'),
    ('hospital_staff', 'hospital_reception'),
    ('hospital_staff', 'hospital_pharmacist'),
    ('hospital_staff', 'hospital_laboratory'),
    ('pg_read_all_data', 'hospital_backup'),
    ('pg_monitor', 'hospital_monitor')
  )
  and not (
    member.rolname = 'hospital_authenticator'
    and granted.rolname ~ '^hospital_'
    and not granted.rolcanlogin
  )

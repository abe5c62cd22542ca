-- No role of ours is above the rules: none is a superuser, makes roles or databases or is a member of one of
-- the server's own roles, and none but the backup passes row security. Nobody logs in as a role of the API.
/* broken by postgres
grant pg_read_server_files to hospital_patient;
mended by
revoke pg_read_server_files from hospital_patient;
*/
select
  role.rolname as subject,
  found.problem
from pg_roles as role
cross join lateral (
  values
    (role.rolsuper, 'is a superuser'),
    (role.rolcreaterole, 'makes roles'),
    (role.rolcreatedb, 'makes databases'),
    (role.rolbypassrls and role.rolname <> 'hospital_backup', 'passes row security'),
    (role.rolreplication and role.rolname <> 'hospital_backup', 'may read the whole log'),
    (
      role.rolcanlogin and exists (
        select
        from pg_auth_members as member
        where member.roleid = role.oid
          and member.member = 'hospital_authenticator'::regrole
      ),
      'is a role of the API and may log in'
    ),
    (
      role.rolname not in ('hospital_backup', 'hospital_monitor') and exists (
        select
        from pg_auth_members as member
        where member.member = role.oid
          and member.roleid::regrole::text ~ '^pg_'
      ),
      'is a member of a role of the server'
    )
) as found (is_so, problem)
where role.rolname ~ '^hospital_'
  and found.is_so

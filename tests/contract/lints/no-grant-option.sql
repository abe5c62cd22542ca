-- Nobody hands his rights on: who may do what is written in policies/ and nowhere else.
/* broken by
grant select on hospital.specialties to hospital_billing with grant option;
mended by
revoke grant option for select on hospital.specialties from hospital_billing;
*/
with
rights (subject, acl) as (
  select oid::regclass::text, relacl from pg_class
  union all
  select format('%s.%s', attrelid::regclass, attname), attacl from pg_attribute
  union all
  select oid::regprocedure::text, proacl from pg_proc
  union all
  select 'schema ' || nspname, nspacl from pg_namespace
  union all
  select 'type ' || oid::regtype, typacl from pg_type
)

select
  rights.subject,
  format('%s may hand on %s', entry.grantee::regrole, lower(entry.privilege_type)) as problem
from rights
cross join aclexplode(rights.acl) as entry
where entry.is_grantable
  and entry.grantee::regrole::text ~ '^(hospital_|-$)'
  and entry.grantee <> entry.grantor

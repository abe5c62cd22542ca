-- Nothing of ours is open to PUBLIC: every right is given to a role by name, in policies/. A function
-- is executable by PUBLIC and a type usable by PUBLIC unless somebody took that away.
/* broken by
create function hospital.probe() returns integer language sql immutable as 'select 1';
grant execute on function hospital.probe() to public;
mended by
revoke execute on function hospital.probe() from public;
*/
with
ours as (
  select oid, nspname, nspowner, nspacl
  from pg_namespace
  where nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
),

rights (subject, acl) as (
  select 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner))
  from ours

  union all
  select oid::regclass::text, relacl
  from pg_class
  where relnamespace in (select oid from ours)

  union all
  select format('%s.%s', attrelid::regclass, attname), attacl
  from pg_attribute
  join pg_class as relation on relation.oid = attrelid
  where relation.relnamespace in (select oid from ours)

  union all
  select oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner))
  from pg_proc
  where pronamespace in (select oid from ours)

  union all
  select 'type ' || type.oid::regtype, coalesce(typacl, acldefault('T', typowner))
  from pg_type as type
  where typnamespace in (select oid from ours)
    -- A row type, like a table's, is always open: it only allows to name it.
    and typtype in ('d', 'e', 'r')
)

select
  rights.subject,
  'PUBLIC has ' || string_agg(lower(entry.privilege_type), ', ') as problem
from rights
cross join aclexplode(rights.acl) as entry
where entry.grantee = 0
group by rights.subject

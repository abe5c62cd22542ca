-- A materialized view or a foreign table has no row security: no role of the API reads one.
/* broken by
create materialized view warehouse.probe as select 1 as one;
grant select on warehouse.probe to hospital_analyst;
mended by
revoke select on warehouse.probe from hospital_analyst;
*/
select
  relation.oid::regclass::text as subject,
  format('has no row security and is granted to %s', entry.grantee::regrole) as problem
from pg_class as relation
cross join aclexplode(relation.relacl) as entry
where relation.relkind in ('m', 'f')
  and entry.grantee <> relation.relowner
  and (
    entry.grantee = 0
    or pg_has_role('hospital_authenticator', entry.grantee, 'member')
  )

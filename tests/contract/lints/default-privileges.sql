-- What the owner makes tomorrow is closed too: a new function is executable by nobody but the owner, and no
-- right is given in advance.
/* broken by
alter default privileges for role hospital_owner grant select on tables to hospital_analyst;
mended by
alter default privileges for role hospital_owner revoke select on tables from hospital_analyst;
*/
select
  format('default privileges of %s', defaults.defaclrole::regrole) as subject,
  format('give %s to %s', lower(entry.privilege_type), entry.grantee::regrole) as problem
from pg_default_acl as defaults
cross join aclexplode(defaults.defaclacl) as entry
where entry.grantee <> defaults.defaclrole

union all
select
  'default privileges of hospital_owner',
  'let PUBLIC execute new functions'
where not exists (
  select
  from pg_default_acl as defaults
  where defaults.defaclrole = 'hospital_owner'::regrole
    and defaults.defaclnamespace = 0
    and defaults.defaclobjtype = 'f'
)

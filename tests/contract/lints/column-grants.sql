-- Grants to insert or update list columns: a table-level grant would cover the next column too, such as
-- one that says who may see the row. The roles of the API never truncate, refer or add triggers.
/* broken by
grant update on hospital.patients to hospital_patient;
mended by
revoke update on hospital.patients from hospital_patient;
*/
select
  relation.oid::regclass::text as subject,
  format('%s may %s the whole table', entry.grantee::regrole, lower(entry.privilege_type)) as problem
from pg_class as relation
cross join aclexplode(relation.relacl) as entry
join pg_auth_members as member
  on member.roleid = entry.grantee
  and member.member = 'hospital_authenticator'::regrole
where relation.relkind in ('r', 'p', 'v', 'm')
  and entry.privilege_type in ('INSERT', 'UPDATE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')

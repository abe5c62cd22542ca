-- A partition that is read by its own name is under its own policies, not its parent's; a materialised view is under
-- none. So neither is granted to anybody: partitions are read through their parent, materialised views through functions.
/* broken by
create table audit.probe (at date not null) partition by range (at);
create table audit.probe_1 partition of audit.probe for values from ('2026-01-01') to ('2026-02-01');
grant select on audit.probe, audit.probe_1 to hospital_auditor;
comment on table audit.probe is 'A parent that may be read.';
comment on column audit.probe.at is 'A day.';
mended by
revoke select on audit.probe_1 from hospital_auditor;
*/
select
  relation.oid::regclass::text as subject,
  format('is %s and %s may use it by its own name',
    case relation.relkind when 'm' then 'a materialised view' else 'a partition' end,
    string_agg(distinct grantee.rolname, ', ' order by grantee.rolname)
  ) as problem
from pg_class as relation
join pg_namespace as namespace
  on namespace.oid = relation.relnamespace
cross join lateral aclexplode(relation.relacl) as acl
join pg_roles as grantee
  on grantee.oid = acl.grantee
where (relation.relispartition or relation.relkind = 'm')
  and relation.relkind in ('r', 'p', 'm')
  and grantee.oid <> relation.relowner
  and namespace.nspname !~ '^pg_'
  and namespace.nspname not in ('information_schema', 'extensions', 'graphile_worker', 'tap', 'tests')
group by
  relation.oid,
  relation.relkind

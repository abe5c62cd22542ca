-- A grant without a policy shows an empty table, and a policy without a grant shows nothing: each is a
-- mistake that no error reports.
/* broken by
create table hospital.probe (id bigint);
alter table hospital.probe enable row level security;
grant select on hospital.probe to hospital_patient;
mended by
create policy probe on hospital.probe for select to hospital_patient using (true);
*/
with
commands (privilege, letter) as (
  values ('SELECT', 'r'), ('INSERT', 'a'), ('UPDATE', 'w'), ('DELETE', 'd')
),

grants as (
  select relation.oid, entry.grantee, commands.privilege
  from pg_class as relation
  cross join lateral (
    select * from aclexplode(relation.relacl)
    union all
    select of_column.*
    from pg_attribute
    cross join aclexplode(pg_attribute.attacl) as of_column
    where pg_attribute.attrelid = relation.oid
  ) as entry
  join commands
    on commands.privilege = entry.privilege_type
  where relation.relnamespace in ('hospital'::regnamespace, 'masked'::regnamespace)
    and relation.relkind in ('r', 'p')
    and relation.relrowsecurity
    and entry.grantee <> 'hospital_owner'::regrole
  group by relation.oid, entry.grantee, commands.privilege
),

policies as (
  select policy.polrelid as oid, role.oid as grantee, commands.privilege
  from pg_policy as policy
  cross join unnest(policy.polroles) as role (oid)
  join commands
    on policy.polcmd::text in ('*', commands.letter)
  where role.oid <> 'hospital_owner'::regrole
),

-- A role has what the roles it is a member of have.
reach as (
  select member.oid as member, parent.oid as parent
  from pg_roles as member
  join pg_roles as parent
    on pg_has_role(member.oid, parent.oid, 'usage')
  where member.rolname ~ '^hospital_'
    and parent.rolname ~ '^hospital_'
)

select
  format('%s for %s', grants.oid::regclass, grants.grantee::regrole) as subject,
  'has a grant but no policy for ' || string_agg(lower(grants.privilege), ', ') as problem
from grants
where not exists (
  select
  from reach
  join policies
    on policies.grantee = reach.parent
  where reach.member = grants.grantee
    and policies.oid = grants.oid
    and policies.privilege = grants.privilege
)
group by grants.oid, grants.grantee

union all
select
  format('%s for %s', policies.oid::regclass, policies.grantee::regrole),
  'has a policy but no grant for ' || string_agg(lower(policies.privilege), ', ')
from policies
where not exists (
  select
  from reach
  join grants
    on grants.grantee = reach.parent
  where reach.member = policies.grantee
    and grants.oid = policies.oid
    and grants.privilege = policies.privilege
)
group by policies.oid, policies.grantee

-- Every table of an exposed schema and of masked has row security, forced, and a policy for its owner. Without
-- FORCE the owner's functions show everybody's rows; without the owner's policy they show none. The
-- schema analytics holds no relation at all: a materialized view cannot have row security.
/* broken by
create table hospital.probe (id bigint);
mended by
alter table hospital.probe enable row level security;
alter table hospital.probe force row level security;
create policy all_rows on hospital.probe for all to hospital_owner using (true) with check (true);
*/
select
  relation.oid::regclass::text as subject,
  case
    when relation.relnamespace = 'analytics'::regnamespace then 'is a relation in analytics'
    when relation.relkind = 'm' then 'is a materialized view in an exposed schema'
    when not relation.relrowsecurity then 'has no row security'
    when not relation.relforcerowsecurity then 'does not force row security on its owner'
    else 'has no policy for hospital_owner'
  end as problem
from pg_class as relation
where relation.relnamespace in (
    'hospital'::regnamespace, 'analytics'::regnamespace, 'masked'::regnamespace
  )
  and (
    relation.relkind = 'm'
    or relation.relkind in ('r', 'p', 'v') and relation.relnamespace = 'analytics'::regnamespace
    or relation.relkind in ('r', 'p') and not (
      relation.relrowsecurity
      and relation.relforcerowsecurity
      and exists (
        select
        from pg_policy as policy
        where policy.polrelid = relation.oid
          and 'hospital_owner'::regrole::oid = any (policy.polroles)
      )
    )
  )

-- Everything of ours belongs to hospital_owner, whom row security binds: what belonged to a role of the API
-- would be free to it, and what belonged to a superuser would be bound by nothing.
/* broken by postgres
alter table hospital.specialties owner to hospital_administrator;
mended by
alter table hospital.specialties owner to hospital_owner;
*/
with
ours as (
  select oid
  from pg_namespace
  where nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
)

select owned.subject, 'belongs to ' || owned.owner::regrole as problem
from (
  select 'schema ' || nspname, nspowner from pg_namespace where oid in (select oid from ours)
  union all
  select oid::regclass::text, relowner from pg_class where relnamespace in (select oid from ours)
  union all
  select oid::regprocedure::text, proowner from pg_proc where pronamespace in (select oid from ours)
  union all
  select 'type ' || oid::regtype, typowner from pg_type where typnamespace in (select oid from ours)
) as owned (subject, owner)
where owned.owner <> 'hospital_owner'::regrole

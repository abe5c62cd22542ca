-- A trigger function is called by its trigger. Whoever could execute it could hang it onto a table of his
-- own, and have what it lends.
/* broken by
grant execute on function hospital_private.guard_visit() to hospital_doctor;
mended by
revoke execute on function hospital_private.guard_visit() from hospital_doctor;
*/
select
  function.oid::regprocedure::text as subject,
  'is a trigger''s and executable by ' || entry.grantee::regrole as problem
from pg_proc as function
cross join aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as entry
where function.prorettype in ('trigger'::regtype, 'event_trigger'::regtype)
  and function.pronamespace::regnamespace::text in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and entry.grantee <> function.proowner

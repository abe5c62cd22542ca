-- No function that a client may call with a text runs a statement it has put together: what cannot be built
-- cannot be injected into.
/* broken by
create function hospital.probe(name text) returns void language plpgsql
as 'begin execute format(''select %s'', probe.name); end';
grant execute on function hospital.probe(text) to hospital_patient;
mended by
revoke execute on function hospital.probe(text) from hospital_patient;
*/
select
  function.oid::regprocedure::text as subject,
  'builds a statement and may be called by ' || string_agg(role.rolname, ', ') as problem
from pg_proc as function
join pg_roles as role
  on role.rolname ~ '^hospital_'
  and role.rolname <> 'hospital_owner'
  and has_function_privilege(role.oid, function.oid, 'execute')
where function.pronamespace::regnamespace::text in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and exists (
    select
    from unnest(function.proargtypes::oid[]) as argument (type)
    join pg_type as type
      on type.oid = argument.type
    where type.typcategory not in ('B', 'D', 'N', 'T')
  )
  and regexp_replace(function.prosrc, '--.*$', '', 'gn') ~* '\mexecute\s+(?!function|procedure)'
group by function.oid

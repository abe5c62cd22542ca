-- No function leaves a lock, a listener, a prepared statement, a cursor or a temporary table to its session, or asks what
-- an earlier transaction drew from a sequence: behind a pooler the session is somebody else's in the next transaction.
-- The worker's two lock a run while its job works; it has connections of its own, and nobody else may call them.
/* broken by
create function hospital_private.probe() returns void language plpgsql volatile
as 'begin perform pg_advisory_lock(1); end';
mended by
create or replace function hospital_private.probe() returns void language plpgsql volatile
as 'begin perform pg_advisory_xact_lock(1); end';
*/
select
  function.oid::regprocedure::text as subject,
  'leaves something to its session' as problem
from pg_proc as function
join pg_namespace as namespace
  on namespace.oid = function.pronamespace
cross join lateral (
  select regexp_replace(
    regexp_replace(function.prosrc, '--.*$', '', 'gn'), '/\*.*?\*/', '', 'g'
  ) as text
) as body
where namespace.nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
  )
  and (
    body.text ~* '\mpg_(try_)?advisory_(un)?lock(_shared|_all)?\s*\('
    or body.text ~* '\m(currval|lastval)\s*\('
    or body.text ~* '\mcreate\s+((local|global)\s+)?temp(orary)?\M'
    or body.text ~* '\mcursor\s+with\s+hold\M'
    or body.text ~* '(^|;|\mbegin|\mthen|\melse|\mloop)\s*(un)?(listen|prepare)\s+\w'
  )
  and (
    function.oid::regprocedure::text not in ('ops.enter_job_run(bigint)', 'ops.leave_job_run(bigint)')
    or exists (
      select
      from aclexplode(function.proacl) as granted
      where granted.grantee not in ('hospital_worker'::regrole, function.proowner)
    )
  )

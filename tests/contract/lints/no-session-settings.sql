-- No function changes a setting for longer than its transaction: on a pooled connection the next
-- request, somebody else's, would begin with it. One such call changed the identity of the next request.
/* broken by
create function hospital_private.probe() returns text language sql volatile
as 'select set_config(''infirmary.session_id'', ''1'', false)';
mended by
create or replace function hospital_private.probe() returns text language sql volatile
as 'select set_config(''infirmary.session_id'', ''1'', true)';
*/
select
  function.oid::regprocedure::text as subject,
  'changes a setting of the session' as problem
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
    body.text ~* 'set_config\s*\([^;]*?,\s*(false|''f''|0)\s*\)'
    -- A statement that begins with set, and not the set of an update.
    or body.text ~* concat(
      '(^|;|\mbegin|\mthen|\melse|\mloop)\s*set\s+(session\s+)?',
      '(role\M|session authorization\M|(?!local\M|constraints\M)[a-z_.]+\s*(=|\mto\M))'
    )
  )

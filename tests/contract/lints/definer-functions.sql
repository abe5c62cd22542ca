-- A security definer function lends its owner's rights. Its search path ends with pg_temp: where it is
-- not named it is searched first, even under an empty path, and a caller's temporary type would stand in
-- front of uuid or text. It says whose right it lends and why; and PUBLIC may not call it.
/* broken by
create function hospital_private.probe() returns integer language sql immutable security definer
as 'select 1';
comment on function hospital_private.probe() is 'Lends the owner''s right, for a proof.';
mended by
alter function hospital_private.probe() set search_path = pg_catalog, pg_temp;
*/
select
  function.oid::regprocedure::text as subject,
  case
    when not coalesce(function.proconfig && array['search_path=pg_catalog, pg_temp'], false)
      then 'is security definer without set search_path = pg_catalog, pg_temp'
    when coalesce(obj_description(function.oid, 'pg_proc'), '') !~* '\mlends\M'
      then 'is security definer and does not say whose right it lends'
    else 'is security definer and executable by PUBLIC'
  end as problem
from pg_proc as function
join pg_namespace as namespace
  on namespace.oid = function.pronamespace
where function.prosecdef
  and namespace.nspname !~ '^pg_'
  and namespace.nspname not in ('information_schema', 'extensions', 'graphile_worker', 'tap', 'tests')
  and (
    not coalesce(function.proconfig && array['search_path=pg_catalog, pg_temp'], false)
    or coalesce(obj_description(function.oid, 'pg_proc'), '') !~* '\mlends\M'
    or exists (
      select
      from aclexplode(coalesce(function.proacl, acldefault('f', function.proowner))) as entry
      where entry.grantee = 0
    )
  )

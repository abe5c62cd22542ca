-- The schema extensions, which everybody may use, holds what these extensions brought and nothing else. They
-- compute: none of them reads a file, another server or anybody's rows.
/* broken by
create function extensions.probe() returns integer language sql immutable as 'select 1';
mended by
drop function extensions.probe();
*/
with
known as (
  select oid
  from pg_extension
  where extname in ('btree_gist', 'pgcrypto', 'pg_trgm')
),

objects (class, oid, subject) as (
  select 'pg_proc'::regclass, oid, oid::regprocedure::text
  from pg_proc
  where pronamespace = 'extensions'::regnamespace

  union all
  select 'pg_class'::regclass, oid, oid::regclass::text
  from pg_class
  where relnamespace = 'extensions'::regnamespace

  union all
  select 'pg_operator'::regclass, oid, oid::regoperator::text
  from pg_operator
  where oprnamespace = 'extensions'::regnamespace
)

select objects.subject, 'is of no known extension' as problem
from objects
where not exists (
  select
  from pg_depend as depend
  where depend.classid = objects.class
    and depend.objid = objects.oid
    and depend.deptype = 'e'
    and depend.refobjid in (select oid from known)
)

-- A function that lends its owner's rights looks names up where its caller says, unless it says so itself.
select
  format(
    '%s lends its owner''s rights and looks names up where its caller says.',
    p.oid::regprocedure
  ) as problem,
  format('alter function %s set search_path = pg_catalog, pg_temp', p.oid::regprocedure) as remedy
from pg_proc as p
where p.prosecdef
  and p.pronamespace::regnamespace::text = any ($1)
  and not coalesce(p.proconfig && array['search_path=pg_catalog, pg_temp'], false)

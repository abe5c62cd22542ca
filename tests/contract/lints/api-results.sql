-- A function of the API returns a table's rows, a named composite or a plain value: json hides its
-- fields from the schema, and `returns table` makes a type nobody named.
/* broken by
create function analytics.probe() returns json language sql stable as 'select null::json';
mended by
drop function analytics.probe();
*/
select
  function.oid::regprocedure::text as subject,
  'returns ' || case when function.prorettype = 'record'::regtype then 'an unnamed record'
    else function.prorettype::regtype::text end as problem
from pg_proc as function
where function.pronamespace in ('hospital'::regnamespace, 'analytics'::regnamespace)
  and function.prokind = 'f'
  and (
    function.prorettype in ('json'::regtype, 'jsonb'::regtype, 'record'::regtype)
    or function.proargmodes && array['t', 'o']::"char"[]
  )

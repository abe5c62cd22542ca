-- No check reads the clock or anything else that changes: a row that was right when it was written
-- would refuse to be restored from a dump. Such rules belong into a trigger.
/* broken by
create table hospital.probe (day date, constraint probe_in_the_past check (day <= current_date));
mended by
alter table hospital.probe drop constraint probe_in_the_past;
*/
select
  format(
    '%s.%s',
    coalesce(nullif(item.conrelid, 0)::regclass::text, item.contypid::regtype::text),
    item.conname
  ) as subject,
  'depends on the time, or on what is not immutable: ' || rule.text as problem
from pg_constraint as item
join pg_namespace as namespace
  on namespace.oid = item.connamespace
cross join lateral (select pg_get_constraintdef(item.oid) as text) as rule
where item.contype = 'c'
  and namespace.nspname !~ '^pg_'
  and namespace.nspname not in (
    'information_schema', 'graphile_worker', 'graphile_migrate', 'tap', 'tests'
  )
  and (
    rule.text ~* '\m(now|timeofday|(clock|statement|transaction)_timestamp)\('
    or rule.text ~ '\m(CURRENT_DATE|(CURRENT_|LOCAL)TIME(STAMP)?)\M'
    or exists (
      select
      from pg_depend as uses
      join pg_proc as function
        on function.oid = uses.refobjid
      where uses.classid = 'pg_constraint'::regclass
        and uses.objid = item.oid
        and uses.refclassid = 'pg_proc'::regclass
        and function.provolatile <> 'i'
    )
  )

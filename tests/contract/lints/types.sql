-- Keys and the parameters that carry them are bigint on both sides, or an index on the key becomes a
-- filter. Instants are timestamptz, money is numeric(12,2), text is text. A wall-clock time that is no
-- instant yet is a parameter named local.
/* broken by
create table hospital.probe (id integer, seen_at timestamp, price money);
mended by
drop table hospital.probe;
*/
select
  format('%s.%s', attrelid::regclass, attname) as subject,
  'is ' || format_type(atttypid, atttypmod) as problem
from pg_attribute
join pg_class as relation
  on relation.oid = attrelid
where relation.relnamespace::regnamespace::text in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'ops'
  )
  and relation.relkind in ('r', 'p', 'v', 'm', 'c')
  and attnum > 0
  and not attisdropped
  and (
    atttypid in (
      'timestamp'::regtype, 'timetz'::regtype, 'money'::regtype, 'varchar'::regtype, 'bpchar'::regtype
    )
    or attname ~ '(^|_)id$' and atttypid in ('integer'::regtype, 'smallint'::regtype)
  )

union all
select
  function.oid::regprocedure::text,
  format('takes %s as %s', argument.name, argument.type::regtype)
from pg_proc as function
cross join unnest(function.proargnames, function.proargtypes::oid[]) as argument (name, type)
where function.pronamespace::regnamespace::text in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'ops'
  )
  and (
    argument.type in ('timestamp'::regtype, 'timetz'::regtype, 'money'::regtype, 'varchar'::regtype)
      and (argument.name, argument.type) is distinct from ('local', 'timestamp'::regtype)
    or argument.name ~ '(^|_)id$' and argument.type in ('integer'::regtype, 'smallint'::regtype)
  )

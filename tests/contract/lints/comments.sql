-- Every schema, table, column, view, function and type says what it is, in a sentence: the comments are
-- the documentation of the API. Lines that begin with @ are for the generator and do not count.
/* broken by
create view hospital.probe with (security_invoker = true) as select 1 as one;
comment on column hospital.probe.one is 'Always one.';
comment on view hospital.probe is 'no sentence';
mended by
comment on view hospital.probe is 'A row that proves something.';
*/
with
ours as (
  select oid, nspname
  from pg_namespace
  where nspname in (
    'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging',
    'extensions', 'ops'
  )
),

objects (subject, comment) as (
  select 'schema ' || nspname, obj_description(oid, 'pg_namespace')
  from ours

  union all
  select relation.oid::regclass::text, obj_description(relation.oid, 'pg_class')
  from pg_class as relation
  join ours on ours.oid = relation.relnamespace
  where relation.relkind in ('r', 'p', 'v', 'm') and not relation.relispartition

  union all
  select format('%s.%s', attrelid::regclass, attname), col_description(attrelid, attnum)
  from pg_attribute
  join pg_class as relation on relation.oid = attrelid
  join ours on ours.oid = relation.relnamespace
  where relation.relkind in ('r', 'p', 'v', 'm', 'c')
    and not relation.relispartition
    and attnum > 0
    and not attisdropped

  union all
  select function.oid::regprocedure::text, obj_description(function.oid, 'pg_proc')
  from pg_proc as function
  join ours on ours.oid = function.pronamespace
  where not exists (
    select from pg_depend where objid = function.oid and classid = 'pg_proc'::regclass and deptype = 'e'
  )

  union all
  select 'type ' || type.oid::regtype, obj_description(type.oid, 'pg_type')
  from pg_type as type
  join ours on ours.oid = type.typnamespace
  left join pg_class as relation on relation.oid = type.typrelid
  where (type.typtype in ('d', 'e', 'r') or relation.relkind = 'c')
    and not exists (
      select from pg_depend where objid = type.oid and classid = 'pg_type'::regclass and deptype = 'e'
    )
)

select
  objects.subject,
  case
    when objects.comment is null then 'has no comment'
    else 'has a comment that is no sentence: ' || objects.comment
  end as problem
from objects
cross join lateral (
  select btrim(regexp_replace(objects.comment, '^@.*$', '', 'gn'), E' \n') as text
) as plain
where objects.comment is null
  or plain.text !~ '^[^a-z].*\.$'

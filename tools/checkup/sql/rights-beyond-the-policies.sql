-- The files of policies/ give rights to our roles alone, each by name. What PUBLIC may do, every role of the server
-- may, also those of other databases. Who reads changes as a registered consumer needs what docs/downstream.md grants.
with
rights (kind, name, acl) as (
  select 'schema', quote_ident(n.nspname), n.nspacl
  from pg_namespace as n
  where n.nspname = any ($1)
  union all
  select case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass::text, c.relacl
  from pg_class as c
  where c.relnamespace::regnamespace::text = any ($1)
  union all
  select 'table', a.attrelid::regclass::text, a.attacl
  from pg_attribute as a
  join pg_class as c
    on c.oid = a.attrelid
  where c.relnamespace::regnamespace::text = any ($1)
    and a.attacl is not null
  union all
  select 'routine', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
  from pg_proc as p
  where p.pronamespace::regnamespace::text = any ($1)
  union all
  select 'database', quote_ident(d.datname), coalesce(d.datacl, acldefault('d', d.datdba))
  from pg_database as d
  where d.datname = current_database()
),
given as (
  select
    r.kind,
    r.name,
    case e.grantee when 0 then 'public' else e.grantee::regrole::text end as grantee,
    lower(e.privilege_type) as privilege
  from rights as r
  cross join aclexplode(r.acl) as e
  union all
  select
    'schema',
    'public',
    'public',
    'create'
  from pg_namespace as n
  cross join aclexplode(n.nspacl) as e
  where n.nspname = 'public'
    and e.grantee = 0
    and e.privilege_type = 'CREATE'
)
select
  format(
    '%s has rights on the %s %s: %s.',
    g.grantee,
    g.kind,
    g.name,
    string_agg(distinct g.privilege, ', ')
  ) as problem,
  format('revoke all on %s %s from %s', g.kind, g.name, g.grantee) as remedy,
  case g.grantee when 'public' then 'critical' else 'warning' end as severity
from given as g
where g.grantee !~ '^hospital_'
  and not (
    g.grantee in (select r.reader from ops.consumer_readers() as r)
    and (g.kind, g.privilege) in (
      ('database', 'connect'), ('schema', 'usage'), ('routine', 'execute')
    )
    and (
      g.kind = 'database'
      or g.name = 'ops'
      or g.name like any (array['ops.read\_change\_events(%', 'ops.acknowledge\_change\_events(%'])
    )
  )
group by
  g.kind,
  g.name,
  g.grantee

-- Rules that hold for every object of the house, read from the catalogue.
begin;
select no_plan();

create temporary view ours as
select n.oid, n.nspname
from pg_catalog.pg_namespace as n
where n.nspname in (
  'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
);
create temporary view routines as
select f.*, f.oid::regprocedure::text as signature
from pg_catalog.pg_proc as f
join ours as n
  on n.oid = f.pronamespace;

select is(
  array(
    select c.oid::regclass::text
    from pg_catalog.pg_class as c
    join ours as n
      on n.oid = c.relnamespace
    where n.nspname in ('hospital', 'analytics')
      and c.relkind in ('r', 'p')
      and not (c.relrowsecurity and c.relforcerowsecurity)
  ),
  '{}', 'Row security is enabled and forced on every table of an exposed schema.'
);
select is(
  array(
    select p.polname || ' on ' || p.polrelid::regclass
    from pg_catalog.pg_policy as p
    where cardinality(p.polroles) <> 1
      or p.polroles = '{0}'
  ),
  '{}', 'Every policy is for exactly one role and never for PUBLIC.'
);
select is(
  array(
    select p.polname || ' on ' || p.polrelid::regclass
    from pg_catalog.pg_policy as p
    where p.polcmd = '*'
      and p.polroles <> array['hospital_owner'::regrole::oid]
  ),
  '{}', 'A policy for all commands is the owner''s alone.'
);
select is(
  array(
    select r.signature
    from routines as r
    where r.proacl is null
      or exists (
        select
        from aclexplode(r.proacl) as granted
        where granted.grantee = 0
      )
    order by 1
  ),
  '{}', 'PUBLIC may execute no routine.'
);
select is(
  array(
    select c.oid::regclass::text
    from pg_catalog.pg_class as c
    join ours as n
      on n.oid = c.relnamespace
    cross join lateral aclexplode(c.relacl) as granted
    where granted.grantee = 0
  ),
  '{}', 'PUBLIC has no right to a relation.'
);
select is(
  array(
    select r.signature
    from routines as r
    where not coalesce('search_path=pg_catalog, pg_temp' = any (r.proconfig), false)
    order by 1
  ),
  '{}', 'Every routine looks into pg_temp last.'
);
select is(
  array(
    select r.signature
    from routines as r
    where r.prosecdef
      and not coalesce(obj_description(r.oid, 'pg_proc') ~* '\mlends\M', false)
    order by 1
  ),
  '{}', 'Every definer routine says in its comment whose right it lends.'
);
select is(
  array(
    select r.signature
    from routines as r
    where r.prosrc ~* 'set_config\s*\([^)]*,\s*false\s*\)'
      or r.prosrc ~* '^\s*set\s+(?!local)(session|role|search_path|timezone|infirmary)'
  ),
  '{}', 'No routine changes a setting beyond its transaction.'
);
select is(
  array(
    select r.signature
    from routines as r
    where r.proowner <> 'hospital_owner'::regrole
    union all
    select c.oid::regclass::text
    from pg_catalog.pg_class as c
    join ours as n
      on n.oid = c.relnamespace
    where c.relowner <> 'hospital_owner'::regrole
  ),
  '{}', 'Everything belongs to hospital_owner.'
);
-- A check on today's date would refuse the restore of rows that have aged.
select is(
  array(
    select c.conrelid::regclass || '.' || c.conname
    from pg_catalog.pg_constraint as c
    join ours as n
      on n.oid = c.connamespace
    where c.contype = 'c'
      and pg_get_constraintdef(c.oid) ~* '\m(now|current_date|current_timestamp|clock_timestamp|localtimestamp)\M'
  ),
  '{}', 'No check asks for the time.'
);
select is(
  array(
    select c.conrelid::regclass || '.' || c.conname
    from pg_catalog.pg_constraint as c
    join ours as n
      on n.oid = c.connamespace
    where not c.convalidated
  ),
  '{}', 'Every constraint is validated.'
);
select * from finish();
rollback;

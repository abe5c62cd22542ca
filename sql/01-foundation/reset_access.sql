-- Every policies file begins by taking everything away from its role, then states all the role may
-- do. So the file is the whole truth: a right that is deleted from it is gone from the database.
-- The threat is the forgotten grant, which nobody sees because nobody looks for it.
create or replace procedure hospital_private.reset_access(role_name name)
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  statement text;
begin
  for statement in
    select format('drop policy %I on %I.%I', p.polname, n.nspname, c.relname)
    from pg_catalog.pg_policy as p
    join pg_catalog.pg_class as c
      on c.oid = p.polrelid
    join pg_catalog.pg_namespace as n
      on n.oid = c.relnamespace
    where p.polroles = array[reset_access.role_name::regrole::oid]
    union all
    select distinct format('revoke all on %I.%I from %I', n.nspname, c.relname, reset_access.role_name)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n
      on n.oid = c.relnamespace
    cross join lateral (
      select whole.grantee
      from aclexplode(c.relacl) as whole
      union all
      select of_column.grantee
      from pg_catalog.pg_attribute as a
      cross join lateral aclexplode(a.attacl) as of_column
      where a.attrelid = c.oid
    ) as granted
    where granted.grantee = reset_access.role_name::regrole
      and granted.grantee <> c.relowner
      and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select format('revoke all on routine %s from %I', f.oid::regprocedure, reset_access.role_name)
    from pg_catalog.pg_proc as f
    cross join lateral aclexplode(f.proacl) as granted
    where granted.grantee = reset_access.role_name::regrole
      and granted.grantee <> f.proowner
    union all
    select distinct format('revoke all on schema %I from %I', n.nspname, reset_access.role_name)
    from pg_catalog.pg_namespace as n
    cross join lateral aclexplode(n.nspacl) as granted
    where granted.grantee = reset_access.role_name::regrole
      and granted.grantee <> n.nspowner
  loop
    execute statement;
  end loop;
end;
$$;
comment on procedure hospital_private.reset_access(name) is
  'Drops every policy of a role and revokes every right it holds here, so that its policies file can state them all anew.';

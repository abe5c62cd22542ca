-- A superuser passes every rule, and so do those who can make themselves one. The role that the cluster was
-- created with is the administrator; any other needs a reason.
select
  format('%s may log in and is %s.', r.rolname, f.what) as problem,
  format('alter role %I %s', r.rolname, f.remedy) as remedy
from pg_roles as r
cross join lateral (
  values
    (r.rolsuper, 'a superuser', 'nosuperuser'),
    (r.rolbypassrls and not r.rolsuper, 'above row security', 'nobypassrls'),
    (r.rolreplication and not r.rolsuper, 'allowed to copy the whole cluster', 'noreplication')
) as f (is_so, what, remedy)
where r.rolcanlogin
  and r.oid <> 10
  and r.rolname !~ '^hospital_'
  and f.is_so

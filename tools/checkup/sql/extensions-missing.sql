-- The migrations create them; a database that was put together by hand may lack them.
select
  format('The extension %s is not installed in this database.', w.name) as problem,
  format('create extension %I with schema extensions', w.name) as remedy
from unnest(array['btree_gist', 'pgcrypto', 'pg_trgm']) as w (name)
where not exists (
  select
  from pg_extension as e
  where e.extname = w.name
)

-- A constraint that was added `not valid` says nothing about the rows that were there.
select
  format(
    'The constraint %s of %s holds for new rows only.',
    k.conname,
    k.conrelid::regclass
  ) as problem,
  format('alter table %s validate constraint %I', k.conrelid::regclass, k.conname) as remedy
from pg_constraint as k
where not k.convalidated
  and k.connamespace::regnamespace::text = any ($1)

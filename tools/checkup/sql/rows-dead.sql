-- Autovacuum clears away a fifth; more stay behind only when it is off, is held up or cannot keep up.
select
  format(
    '%s holds %s dead rows beside %s living ones.',
    s.relid::regclass,
    s.n_dead_tup,
    s.n_live_tup
  ) as problem,
  format('vacuum (analyze) %s', s.relid::regclass) as remedy
from pg_stat_user_tables as s
where s.schemaname = any ($1)
  and s.n_dead_tup > 10000 + 0.4 * s.n_live_tup

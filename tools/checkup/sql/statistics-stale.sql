-- The planner guesses with what it was last told. Autovacuum tells it a minute after a tenth of a table has changed;
-- an hour means that it does not. (What a transaction analyzes that it has just filled counts as changed afterwards.)
select
  format(
    '%s has %s rows, and %s changed since it was analyzed%s.',
    s.relid::regclass,
    s.n_live_tup,
    s.n_mod_since_analyze,
    coalesce(' at ' || date_trunc('second', l.analyzed_at), ', which it never was')
  ) as problem,
  format('analyze %s', s.relid::regclass) as remedy
from pg_stat_user_tables as s
cross join lateral (select greatest(s.last_analyze, s.last_autoanalyze)) as l (analyzed_at)
where s.schemaname = any ($1)
  and s.n_mod_since_analyze > 1000 + 0.3 * s.n_live_tup
  and coalesce(l.analyzed_at, '-infinity') < clock_timestamp() - interval '1 hour'

-- An estimate: how large the rows are by the statistics, against how large the table is. It is of the
-- administrator, since the statistics of a column are shown to those who may read the column.
with
estimated as (
  select
    c.oid,
    c.relpages,
    ceil(c.reltuples * (28 + w.width) / (current_setting('block_size')::integer - 24)) as needed
  from pg_class as c
  join pg_namespace as n
    on n.oid = c.relnamespace
  cross join lateral (
    select sum((1 - s.null_frac) * s.avg_width) as width
    from pg_stats as s
    where s.schemaname = n.nspname
      and s.tablename = c.relname
  ) as w
  where c.relkind in ('r', 'm')
    and c.reltuples > 0
    and n.nspname = any ($1)
)
select
  format(
    '%s takes %s and would need about %s.',
    e.oid::regclass,
    pg_size_pretty(e.relpages * current_setting('block_size')::bigint),
    pg_size_pretty((e.needed * current_setting('block_size')::bigint)::bigint)
  ) as problem,
  format('While nobody works: vacuum (full, analyze) %s', e.oid::regclass) as remedy
from estimated as e
where e.relpages > 2 * e.needed + 8192

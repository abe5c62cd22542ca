-- A large table that is read whole again and again, and more often than by index, lacks an index or a condition.
select
  format(
    '%s was read from end to end %s times, %s rows each time.',
    s.relid::regclass,
    s.seq_scan,
    s.seq_tup_read / s.seq_scan
  ) as problem,
  'Find the statement in pg_stat_statements, then index what it compares with' as remedy
from pg_stat_user_tables as s
where s.schemaname in ('hospital', 'hospital_private')
  and s.seq_scan > 1000
  and s.seq_scan > coalesce(s.idx_scan, 0)
  and s.seq_tup_read / s.seq_scan > 10000

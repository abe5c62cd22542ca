-- Those that hold a promise (unique, exclusion) or serve a foreign key are not looked at: they work without being
-- scanned. Fewer than thirty days of statistics prove nothing, and a standby counts its own.
select
  format(
    'The index %s (%s) has not been used since %s.',
    s.indexrelid::regclass,
    pg_size_pretty(pg_relation_size(s.indexrelid)),
    d.since::date
  ) as problem,
  format(
    'If no standby uses it either, in a migration: drop index %s', s.indexrelid::regclass
  ) as remedy
from pg_stat_user_indexes as s
join pg_index as i
  on i.indexrelid = s.indexrelid
cross join (
  select coalesce(b.stats_reset, pg_postmaster_start_time()) as since
  from pg_stat_database as b
  where b.datname = current_database()
) as d
where s.schemaname = any ($1)
  and s.idx_scan = 0
  and not i.indisunique
  and not i.indisexclusion
  and not exists (
    select
    from pg_constraint as k
    where k.contype = 'f'
      and k.conrelid = i.indrelid
      and k.conkey[1] = i.indkey[0]
  )
  and pg_relation_size(s.indexrelid) > 10 * 1024 * 1024
  and d.since < clock_timestamp() - interval '30 days'

create or replace view ops.table_health
with (security_invoker = true)
as
select
  format('%I.%I', s.schemaname, s.relname) as table_name,
  pg_total_relation_size(s.relid) as bytes,
  pg_indexes_size(s.relid) as index_bytes,
  s.n_live_tup as live_rows,
  s.n_dead_tup as dead_rows,
  s.n_dead_tup::double precision / nullif(s.n_live_tup + s.n_dead_tup, 0) as dead_ratio,
  s.n_tup_upd as updates,
  s.n_tup_hot_upd::double precision / nullif(s.n_tup_upd, 0) as hot_ratio,
  s.seq_scan as sequential_scans,
  s.idx_scan as index_scans,
  greatest(s.last_vacuum, s.last_autovacuum) as last_vacuum_at,
  greatest(s.last_analyze, s.last_autoanalyze) as last_analyze_at,
  s.n_mod_since_analyze as changes_since_analyze,
  age(c.relfrozenxid) as transaction_id_age,
  c.reloptions as settings
from pg_stat_user_tables as s
join pg_class as c
  on c.oid = s.relid;
comment on view ops.table_health is 'How each table is doing: how large and how dead, and when it was last tidied up.';
comment on column ops.table_health.table_name is 'The table or partition, with its schema.';
comment on column ops.table_health.bytes is 'How large it is with its indexes and what is stored out of line.';
comment on column ops.table_health.index_bytes is 'How large its indexes are.';
comment on column ops.table_health.live_rows is 'About how many rows it has.';
comment on column ops.table_health.dead_rows is 'About how many versions of rows nobody sees any more and no vacuum has removed.';
comment on column ops.table_health.dead_ratio is 'Their share, or null in an empty table.';
comment on column ops.table_health.updates is 'How many rows were updated since the counters were reset.';
comment on column ops.table_health.hot_ratio is 'Which share of them needed no new entry in any index, or null without updates.';
comment on column ops.table_health.sequential_scans is 'How often it was read from end to end.';
comment on column ops.table_health.index_scans is 'How often it was read by an index.';
comment on column ops.table_health.last_vacuum_at is 'When it was last vacuumed, by anybody, or null.';
comment on column ops.table_health.last_analyze_at is 'When its statistics were last taken, by anybody, or null.';
comment on column ops.table_health.changes_since_analyze is 'How many rows were written since.';
comment on column ops.table_health.transaction_id_age is 'How many transactions ago its oldest unfrozen row may have been written; null for a partitioned table.';
comment on column ops.table_health.settings is 'Its own storage settings, such as fillfactor; each has its reason in docs/monitoring.md.';

create or replace view ops.index_use
with (security_invoker = true)
as
select
  format('%I.%I', s.schemaname, s.relname) as table_name,
  s.indexrelname as index_name,
  pg_relation_size(s.indexrelid) as bytes,
  s.idx_scan as scans,
  -- Since 16.
  (to_jsonb(s) ->> 'last_idx_scan')::timestamptz as last_scan_at,
  s.idx_tup_read as entries_read,
  i.indisunique or i.indisexclusion as holds_a_rule,
  i.indisvalid as is_valid
from pg_stat_user_indexes as s
join pg_index as i
  on i.indexrelid = s.indexrelid;
comment on view ops.index_use is 'How much each index is used, and whether it could be done without.';
comment on column ops.index_use.table_name is 'The table or partition, with its schema.';
comment on column ops.index_use.index_name is 'The index.';
comment on column ops.index_use.bytes is 'How large it is.';
comment on column ops.index_use.scans is 'How often it was searched since the counters were reset.';
comment on column ops.index_use.last_scan_at is 'When it was last searched, or null; unknown before PostgreSQL 16.';
comment on column ops.index_use.entries_read is 'How many of its entries were read.';
comment on column ops.index_use.holds_a_rule is 'Whether it makes a key, a unique or an exclusion constraint true, and so is needed however little it is searched.';
comment on column ops.index_use.is_valid is 'Whether it may be used: false after a concurrent build that failed.';

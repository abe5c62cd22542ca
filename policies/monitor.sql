-- hospital_monitor watches: `/metrics`, check-ups and the state of standbys are read through it. It reads figures and
-- names of things, never a row of a patient, a key or the text of a statement with its values.
call hospital_private.reset_access('hospital_monitor');
grant usage on schema ops to hospital_monitor;

-- For `infirmary checkup`: how the jobs, the backups and the checks of the record went.
grant execute on function
  ops.applied_migrations,
  ops.sequence_positions,
  ops.audit_unsealed_since,
  ops.warehouse_freshness,
  ops.last_job_runs,
  ops.kept_backups,
  ops.last_drill,
  ops.open_quality_alerts,
  ops.consumer_readers
to hospital_monitor;

grant select on
  ops.table_health,
  ops.index_use,
  ops.statement_statistics
to hospital_monitor;

grant execute on function
  ops.hospital_figures,
  ops.server_figures,
  ops.read_statement_statistics,
  ops.without_literals
to hospital_monitor;

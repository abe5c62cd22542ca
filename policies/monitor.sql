-- hospital_monitor watches: `/metrics`, check-ups and the state of standbys are read through it. It reads figures and
-- names of things, never a row of a patient, a key or the text of a statement with its values.
call hospital_private.reset_access('hospital_monitor');
grant usage on schema ops to hospital_monitor;

-- For `infirmary checkup`: how the jobs, the backups and the checks of the record went.
grant select on
  ops.job_runs,
  ops.backups,
  ops.backup_drills,
  ops.alerts,
  ops.alert_kinds,
  ops.data_quality_checks,
  ops.data_quality_results
to hospital_monitor;
grant execute on function
  ops.applied_migrations,
  ops.sequence_positions,
  ops.audit_unsealed_since,
  ops.warehouse_freshness
to hospital_monitor;

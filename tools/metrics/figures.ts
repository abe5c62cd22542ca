/** A figure of ops.hospital_figures() and ops.server_figures(), as Prometheus is told of it behind `infirmary_`. */
export interface FigureKind {
  help: string;
  /** What its label is called, where there are several of it. */
  label?: string;
}

/**
 * Every figure there is; a test compares it with what the database answers. Labels are names of jobs, slots, standbys
 * and states: few, and chosen by operators.
 */
export const FIGURES: Readonly<Record<string, FigureKind>> = {
  job_last_success_timestamp_seconds: { label: 'job', help: 'When the job last succeeded; 0 if it never did.' },
  job_failures_in_a_row: { label: 'job', help: 'How often the job failed or died since it last succeeded.' },
  queue_jobs: { label: 'state', help: 'Jobs in the queue of the worker; given_up are tried no more.' },
  queue_ready_since_timestamp_seconds: { help: 'Since when the first job waits that might run; 0 if none waits.' },
  alerts_open: { label: 'kind', help: 'Whether an alert of ops.alerts is open.' },

  backup_last_timestamp_seconds: { help: 'When the last backup that is kept was finished; 0 if there is none.' },
  backup_last_verified_timestamp_seconds: { help: 'When a backup was last read to its last byte without a problem; 0 if never.' },
  backup_drill_last_passed_timestamp_seconds: { help: 'When a drill last restored a backup and every check held; 0 if never.' },
  backup_last_drill_passed: { help: 'Whether every check of the last drill held.' },
  wal_archived_last_timestamp_seconds: { help: 'When the server last archived a file of its log, where archive_mode is on; 0 if never.' },
  wal_archive_failing: { help: 'Whether the server last failed to archive its log.' },

  replication_slot_retained_bytes: { label: 'slot', help: 'How much of the log a slot keeps on the disk; infirmary_backup is that of the backups.' },
  replication_slot_active: { label: 'slot', help: 'Whether somebody receives by the slot.' },
  replication_slot_lost: { label: 'slot', help: 'Whether the server has given up keeping the log for the slot.' },
  replication_standbys: { help: 'How many standbys follow.' },
  replication_lag_bytes: { label: 'standby', help: 'How much of the log a standby has not replayed yet.' },
  replication_lag_seconds: { label: 'standby', help: 'How long after a commit a standby replays it; 0 when it has nothing to replay.' },
  replication_synchronous: { label: 'standby', help: 'Whether commits wait for the standby.' },

  warehouse_data_as_of_timestamp_seconds: { help: 'Everything committed before this is in every answer of analytics; 0 before the first load.' },

  audit_last_sealed_timestamp_seconds: { help: 'When the chain of the audit was last continued; 0 if never.' },
  audit_unsealed_since_timestamp_seconds: { help: 'Since when the first entry waits for its seal; 0 if none waits.' },
  audit_chain_holds: { help: 'Whether the last verification of the audit found nothing.' },

  database_size_bytes: { help: 'How large the hospital is.' },
  database_commits_total: { help: 'Transactions committed.' },
  database_rollbacks_total: { help: 'Transactions rolled back.' },
  database_blocks_hit_total: { help: 'Blocks found in the shared buffers.' },
  database_blocks_read_total: { help: 'Blocks that had to be read.' },
  database_deadlocks_total: { help: 'Deadlocks found.' },
  database_temp_bytes_total: { help: 'Bytes written to temporary files, for want of work_mem.' },
  database_checksum_failures_total: { help: 'Blocks that were not as they had been written.' },
  database_transaction_id_age: { help: 'How many transactions ago the oldest unfrozen row may have been written; the server stops at two thousand million.' },
  database_multixact_age: { help: 'The same for locks shared by several transactions.' },
  database_connections: { label: 'state', help: 'Connections of clients to the server.' },
  database_connections_max: { help: 'How many connections the server takes.' },
  database_waiting_for_locks: { help: 'Connections that wait for a lock.' },
  database_oldest_transaction_seconds: { help: 'How long the oldest transaction of a client has been open; vacuum removes nothing newer.' },
  database_started_timestamp_seconds: { help: 'When the server was started.' },
  database_in_recovery: { help: 'Whether the server is a standby.' },
  database_last_replayed_timestamp_seconds: { help: 'Of when the last commit is that this standby has replayed.' },
};

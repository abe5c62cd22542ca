import { statfsSync } from 'node:fs';
import os from 'node:os';

const megabyte = 1024 * 1024;

/** What postgresql.conf depends on. */
export interface Circumstances {
  port: number;
  preload: string[];
  /** False for throw-away clusters: faster, and lost when the machine stops. */
  durable: boolean;
  /** Bytes this process may use: the machine's memory, or the container's share of it. */
  memory: number;
  cores: number;
  /** Bytes of shared memory in /dev/shm. */
  sharedMemory: number;
  /** The file with the key of the audit: outside the data, so that no copy of them holds it. */
  auditKeyFile?: string;
}

/** The memory, cores and shared memory of this machine or container. */
export function measureMachine(): Pick<Circumstances, 'memory' | 'cores' | 'sharedMemory'> {
  const limit = process.constrainedMemory() || Infinity;
  return {
    memory: Math.min(os.totalmem(), limit),
    cores: os.availableParallelism(),
    sharedMemory: process.platform === 'linux' ? sizeOf('/dev/shm') : Infinity,
  };
}

function sizeOf(folder: string): number {
  try {
    const { bsize, blocks } = statfsSync(folder);
    return bsize * blocks;
  } catch {
    return 0;
  }
}

/**
 * The text of postgresql.conf, written anew at every start so that it always fits the machine. A DBA's own
 * choices belong in `alter system`, which writes another file and wins.
 */
export function configure(circumstances: Circumstances): string {
  const lines = Object.entries(settingsFor(circumstances)).map(([name, value]) => `${name} = '${value}'`);
  const { auditKeyFile } = circumstances;
  return [
    '# Written by infirmary at every start. For your own settings use: alter system set …',
    ...lines,
    ...(auditKeyFile ? [`include '${auditKeyFile.replaceAll('\\', '/').replaceAll("'", "''")}'`] : []),
    '',
  ].join('\n');
}

/** Connections: the API's and the worker's pools, several commands and tests beside them. */
const connections = 200;

function settingsFor({
  port,
  preload,
  durable,
  memory,
  cores,
  sharedMemory,
}: Circumstances): Record<string, string | number> {
  const share = (part: number, least: number, most: number): string =>
    `${Math.round(Math.min(Math.max((memory * part) / megabyte, least), most))}MB`;
  const parallel = Math.max(1, Math.ceil(cores / 2));
  return {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: connections,
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',

    // Dropping a database looks through all of them, and throw-away clusters drop many.
    shared_buffers: share(1 / 4, 128, durable ? 4096 : 512),
    effective_cache_size: share(1 / 2, 256, 65536),
    // A quarter of the memory, if every connection sorted at once.
    work_mem: share(1 / 4 / connections, 4, 64),
    maintenance_work_mem: share(1 / 16, 64, 1024),
    // Containers often have 64 MB of /dev/shm, and a parallel hash join then fails for want of space.
    ...(sharedMemory < 256 * megabyte && { dynamic_shared_memory_type: 'mmap' }),
    max_worker_processes: Math.max(8, cores * 2),
    max_parallel_workers: cores,
    max_parallel_workers_per_gather: Math.min(4, parallel),
    max_parallel_maintenance_workers: Math.min(4, parallel),
    random_page_cost: 1.1,
    jit: 'off',

    wal_level: 'logical',
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
    // Whoever receives the log and never comes back must not fill the disk with it.
    max_slot_wal_keep_size: '8GB',
    ...(!durable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),

    // Patients stay out of the log: no detail ("Failing row contains …"), no statements, no parameters, and no errors
    // of statements, since a message itself may quote a value (invalid input syntax for type date: "…"). Who meets
    // the error is told, and the API logs its code. LOG, FATAL and PANIC remain.
    log_min_messages: 'log',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
    log_min_duration_statement: -1,
    log_parameter_max_length: 0,
    log_parameter_max_length_on_error: 0,
    // With the name of the connection, which holds the id of the request: that is how a line here finds those of the API.
    log_line_prefix: '%m [%p] %q%u@%d %a ',
    // Numbers and names of tables, none of these a value: who waits for a lock, what spilled to disk, what vacuum did.
    log_lock_waits: 'on',
    log_temp_files: '64MB',
    log_autovacuum_min_duration: '10s',

    track_io_timing: 'on',
    ...(preload.length > 0 && {
      shared_preload_libraries: preload.join(','),
      // Commands keep their values in its texts (a password, a cursor's query), so they are not collected.
      'pg_stat_statements.track_utility': 'off',
    }),
  };
}

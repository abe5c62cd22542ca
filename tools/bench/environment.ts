import os from 'node:os';
import { ask, withClient } from '../database.ts';
import type { BenchDatabase } from './database.ts';

/** Everything without which a figure says nothing. */
export interface Environment {
  /** When the measurement began, ISO 8601. */
  at: string;
  postgres: string;
  node: string;
  machine: string;
  cpus: number;
  memoryGigabytes: number;
  /** What else kept the machine busy: its load average of the last minute, at the beginning. */
  load: number;
  /** fsync, synchronous_commit and full_page_writes. */
  durability: string;
  sharedBuffers: string;
  rows: Record<string, number>;
}

/** The expression that says how safely the server it runs on writes. */
export const durabilitySql = `concat_ws(
  ' ',
  'fsync=' || current_setting('fsync'),
  'synchronous_commit=' || current_setting('synchronous_commit'),
  'full_page_writes=' || current_setting('full_page_writes')
)`;

const counted = ['patients', 'doctors', 'appointments', 'visits', 'prescriptions', 'treatments'];

/** Describes the machine, the versions and the data. */
export async function describeEnvironment(database: BenchDatabase): Promise<Environment> {
  const counts = counted.map((table) => `(select count(*) from hospital.${table})::float8`);
  const sql = `select version(), current_setting('shared_buffers'), ${durabilitySql}, ${counts.join(', ')}`;
  const { rows } = await withClient(database.url('postgres'), (client) => ask(client, sql));
  const [version, sharedBuffers, durability, ...amounts] = rows[0] as [string, string, string, ...number[]];
  return {
    at: new Date().toISOString(),
    postgres: /^PostgreSQL \S+/.exec(version)?.[0] ?? version,
    node: process.version,
    machine: `${os.cpus()[0]?.model.trim() ?? 'unknown processor'}, ${os.type()} ${os.arch()}`,
    cpus: os.availableParallelism(),
    memoryGigabytes: Math.round(Math.min(os.totalmem(), process.constrainedMemory() || Infinity) / 2 ** 30),
    load: Math.round(os.loadavg()[0]! * 10) / 10,
    durability,
    sharedBuffers,
    rows: Object.fromEntries(counted.map((table, index) => [table, amounts[index]!])),
  };
}

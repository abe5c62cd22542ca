import type { ClientBase } from 'pg';

/** A background job: what it does is a function of the database, this says which one and when. */
export interface Job {
  /** Its name in the queue and in ops.job_runs. */
  name: string;
  /** When it runs besides at every start of a worker: five fields as in crontab, in UTC. */
  schedule: string;
  /** How long after a missed time it is still run for it, in milliseconds. */
  catchUp: number;
  /** How often a failed run is tried, with growing pauses between. */
  maxAttempts: number;
  /** The isolation of the transaction that does the work, where read committed is not enough. */
  isolation?: 'repeatable read';
  /** The queue in which it waits for others; those without one run side by side. */
  queue?: string;
  /** Its place among those that wait: the smaller comes first, 0 unless told otherwise. */
  priority?: number;
  /**
   * Does the work, within the transaction that also records its success, and returns how many rows it
   * wrote. It may be run twice or twice at once, so it must be idempotent.
   */
  work(client: ClientBase): Promise<number>;
}

/** Calls a function of the database that does a job and returns how many rows it wrote. */
export async function callJob(client: ClientBase, name: string): Promise<number> {
  const call = `select ${name.split('.').map((part) => client.escapeIdentifier(part)).join('.')}() as count`;
  const { rows } = await client.query<{ count: string }>(call);
  return Number(rows[0]?.count);
}

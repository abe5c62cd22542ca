import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/** Brings the warehouse up to what is committed: all it reads, it reads in one snapshot. */
export const loadWarehouse: Job = {
  name: 'load_warehouse',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  isolation: 'repeatable read',
  queue: 'warehouse',
  work: (client) => callJob(client, 'ops.load_warehouse'),
};

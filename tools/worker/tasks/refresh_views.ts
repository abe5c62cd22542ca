import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/**
 * Refreshes the views behind the answers of which something has changed. It waits in one queue with the load of
 * the warehouse, behind it: so an answer is one load old and not two, and a load that fails holds up nothing.
 */
export const refreshViews: Job = {
  name: 'refresh_views',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  isolation: 'repeatable read',
  queue: 'warehouse',
  priority: 1,
  work: (client) => callJob(client, 'ops.refresh_views'),
};

import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/** Raises an alert when the answers have become stale and closes it afterwards. Whoever asks is told in any case. */
export const checkFreshness: Job = {
  name: 'check_freshness',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.check_freshness'),
};

import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/**
 * Writes down that holds have run out and offers their time to the waitlist. A hold that has run out is in
 * nobody's way before this runs, and also if it never does.
 */
export const expireHolds: Job = {
  name: 'expire_holds',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.expire_holds'),
};

import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/**
 * Offers free time to the waitlist, whatever made it free. Cancelling and moving do it themselves and at once;
 * this is for longer hours, for wishes that fit what is free already, and for changes made by SQL.
 */
export const offerWaitlist: Job = {
  name: 'offer_waitlist',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.offer_waitlist'),
};

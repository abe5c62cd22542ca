import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/**
 * Links what was recorded into the chain. The worker does so every second besides (sealing.ts); this run a
 * minute is the one that is recorded, and makes up for all that were missed.
 */
export const sealAudit: Job = {
  name: 'seal_audit',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.seal_audit'),
};

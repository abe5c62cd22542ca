import { callJob, type Job } from '../job.ts';

const hour = 60 * 60_000;

/** Asks every check of the record once a night, after the nightly backup. */
export const checkDataQuality: Job = {
  name: 'check_data_quality',
  schedule: '45 2 * * *',
  catchUp: 12 * hour,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.check_data_quality'),
};

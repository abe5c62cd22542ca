import { callJob, type Job } from '../job.ts';

const hour = 60 * 60_000;

/** Deletes what nobody needs any more of runs, sessions and imports, at night. A night that is missed is no matter. */
export const tidyRecords: Job = {
  name: 'tidy_records',
  schedule: '37 1 * * *',
  catchUp: 24 * hour,
  maxAttempts: 3,
  work: (client) => callJob(client, 'ops.tidy_records'),
};

import { callJob, type Job } from '../job.ts';

const hour = 60 * 60_000;

/** Makes the partitions of the months to come. They are made three months ahead, so a day or a week is no matter. */
export const maintainPartitions: Job = {
  name: 'maintain_partitions',
  schedule: '7 1 * * *',
  catchUp: 24 * hour,
  maxAttempts: 10,
  work: (client) => callJob(client, 'ops.maintain_partitions'),
};

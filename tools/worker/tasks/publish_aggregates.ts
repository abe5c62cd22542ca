import { callJob, type Job } from '../job.ts';

const hour = 60 * 60_000;

/**
 * Publishes the aggregates of every period that has closed. A day without it delays a publication and
 * changes none.
 */
export const publishAggregates: Job = {
  name: 'publish_aggregates',
  schedule: '20 3 * * *',
  catchUp: 24 * hour,
  maxAttempts: 5,
  work: (client) => callJob(client, 'ops.publish_aggregates'),
};

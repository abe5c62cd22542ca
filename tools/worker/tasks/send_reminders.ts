import { callJob, type Job } from '../job.ts';

const minute = 60_000;

/**
 * Writes the reminders of the next 24 hours into the outbox. Every run does all that is due, so after a
 * night's stop one run makes up for all that were missed.
 */
export const sendReminders: Job = {
  name: 'send_reminders',
  schedule: '*/5 * * * *',
  catchUp: 10 * minute,
  maxAttempts: 10,
  work: (client) => callJob(client, 'ops.send_reminders'),
};

import { readSettings } from '../../settings.ts';
import type { Job } from '../job.ts';
import { deliver } from '../mail/deliver.ts';
import { Mailer } from '../mail/mailer.ts';

const minute = 60_000;

/** Sends what waits in the outbox. Without a mail server everything goes on waiting: ops.message_queue. */
export const sendNotifications: Job = {
  name: 'send_notifications',
  schedule: '* * * * *',
  catchUp: minute,
  maxAttempts: 3,
  // Nothing through the job's own transaction: it would stay open as long as the mail server takes.
  work: async (_client, { pool, signal }) => {
    const { mail } = readSettings();
    if (!mail) return 0;
    await pool.query('select ops.withdraw_untrue_notifications()');
    return deliver(pool, new Mailer(mail), signal);
  },
};

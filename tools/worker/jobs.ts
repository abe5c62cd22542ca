import type { Job } from './job.ts';
import { sendReminders } from './tasks/send_reminders.ts';

/** Every job of the hospital. */
export const jobs: readonly Job[] = [sendReminders];

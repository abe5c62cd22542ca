import type { Job } from './job.ts';
import { expireHolds } from './tasks/expire_holds.ts';
import { offerWaitlist } from './tasks/offer_waitlist.ts';
import { publishAggregates } from './tasks/publish_aggregates.ts';
import { sendReminders } from './tasks/send_reminders.ts';

/** Every job of the hospital. */
export const jobs: readonly Job[] = [sendReminders, expireHolds, offerWaitlist, publishAggregates];

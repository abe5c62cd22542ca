import type { Job } from './job.ts';
import { checkBackups } from './tasks/check_backups.ts';
import { checkFreshness } from './tasks/check_freshness.ts';
import { expireHolds } from './tasks/expire_holds.ts';
import { loadWarehouse } from './tasks/load_warehouse.ts';
import { maintainPartitions } from './tasks/maintain_partitions.ts';
import { nightlyBackup } from './tasks/nightly_backup.ts';
import { makeMonthlyReports } from './tasks/make_monthly_reports.ts';
import { offerWaitlist } from './tasks/offer_waitlist.ts';
import { publishAggregates } from './tasks/publish_aggregates.ts';
import { refreshViews } from './tasks/refresh_views.ts';
import { sealAudit } from './tasks/seal_audit.ts';
import { sendNotifications } from './tasks/send_notifications.ts';
import { sendReminders } from './tasks/send_reminders.ts';
import { verifyAuditChain } from './tasks/verify_audit_chain.ts';

/** Every job of the hospital. */
export const jobs: readonly Job[] = [
  sendReminders,
  sendNotifications,
  expireHolds,
  offerWaitlist,
  publishAggregates,
  makeMonthlyReports,
  maintainPartitions,
  sealAudit,
  verifyAuditChain,
  nightlyBackup,
  checkBackups,
  loadWarehouse,
  refreshViews,
  checkFreshness,
];

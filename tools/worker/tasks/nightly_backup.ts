import { readSettings } from '../../settings.ts';
import type { Job } from '../job.ts';

const hour = 60 * 60_000;

/**
 * Backs the cluster up, verifies the backup and removes old ones, where BACKUP_NIGHTLY=on asks for it. It logs in
 * as hospital_backup by itself: the worker's own role may not read the record.
 */
export const nightlyBackup: Job = {
  name: 'nightly_backup',
  schedule: '30 1 * * *',
  catchUp: 20 * hour,
  maxAttempts: 3,
  work: async (client) => {
    const settings = readSettings();
    if (!settings.backup.nightly) return 0;
    // The transaction that records the success waits as long as the copy takes.
    await client.query('set local idle_in_transaction_session_timeout = 0');
    // Loaded only where it is wanted.
    const { backUpNightly } = await import('../../backup/nightly.ts');
    return backUpNightly(settings);
  },
};

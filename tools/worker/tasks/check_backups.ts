import { readSettings } from '../../settings.ts';
import type { Job } from '../job.ts';

const minute = 60_000;

/** Raises an alert when the backup of the last night is missing or one is damaged, and closes it afterwards. */
export const checkBackups: Job = {
  name: 'check_backups',
  schedule: '*/10 * * * *',
  catchUp: minute,
  maxAttempts: 3,
  work: async (client) => {
    const { nightly } = readSettings().backup;
    const { rows } = await client.query<{ count: string }>('select ops.check_backups($1) as count', [nightly]);
    return Number(rows[0]?.count);
  },
};

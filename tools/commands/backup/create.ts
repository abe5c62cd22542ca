import type { Command } from 'commander';
import { recordBackup } from '../../backup/catalogue.ts';
import { createBackup } from '../../backup/create.ts';
import { type Manifest, openRepository } from '../../backup/repository.ts';
import { acquireServer } from '../../cluster/server.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { print, say, showProgress } from '../../terminal.ts';
import { megabytes } from './megabytes.ts';

export function register(backup: Command): void {
  backup
    .command('create')
    .description('copy the running server into the repository (BACKUP_REPOSITORY, else backups/repository)')
    .option('--json', 'the manifest, as one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const made = await create(readSettings());
      if (json) print(JSON.stringify(made));
      else say(`Backup ${made.name}: ${megabytes(made, 'bytes')} MB, stored in ${megabytes(made, 'storedBytes')} MB.`);
    });
}

/** Makes a backup of the server the settings name. */
export async function create(settings: Settings): Promise<Manifest> {
  const repository = openRepository(settings.backup);
  const server = await acquireServer(settings);
  const progress = showProgress('Backing up, in percent', 100);
  let percent = 0;
  try {
    const manifest = await createBackup(server, settings.database, repository, (bytes, total) => {
      const now = Math.min(100, Math.floor((100 * bytes) / Math.max(total, 1)));
      if (now > percent) progress.advance(now - percent);
      percent = Math.max(percent, now);
    });
    await recordBackup(server.url('hospital_backup'), manifest);
    return manifest;
  } finally {
    progress.end();
    await server.release();
  }
}

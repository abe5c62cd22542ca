import { type Command, InvalidArgumentError } from 'commander';
import { recordRemoved, withBackupUrl } from '../../backup/catalogue.ts';
import { planPrune, prune as pruneRepository, type Pruned, type Retention } from '../../backup/prune.ts';
import { openRepository } from '../../backup/repository.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { print, say } from '../../terminal.ts';

export function register(backup: Command): void {
  backup
    .command('prune')
    .description('show what no rule of retention keeps; with --erase, remove it')
    .option('--daily <days>', 'keep the last backup of so many days (BACKUP_KEEP, else 7)', readCount)
    .option('--weekly <weeks>', 'and of so many weeks (4)', readCount)
    .option('--monthly <months>', 'and of so many months (6)', readCount)
    .option('--erase', 'yes, remove them')
    .option('--json', '{"backups": […], "segments": […]}')
    .action(async ({ erase = false, json, ...asked }: Partial<Retention> & { erase?: boolean; json?: boolean }) => {
      const settings = readSettings();
      const pruned = await prune(settings, { ...settings.backup.keep, ...asked }, erase);
      if (json) return print(JSON.stringify(pruned));
      for (const name of pruned.backups) say(`${erase ? 'Removed' : 'Would remove'} ${name}.`);
      say(`${erase ? 'Removed' : 'Would remove'} ${pruned.backups.length} backups and ${pruned.segments.length} segments of the log.`);
    });
}

/** What is no number would keep nothing. */
function readCount(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number.');
}

/** Removes what no rule keeps, or tells what it would remove. */
export async function prune(settings: Settings, retention: Retention, erase: boolean): Promise<Pruned> {
  const repository = openRepository(settings.backup);
  if (!erase) return planPrune(repository, retention);
  const pruned = await pruneRepository(repository, retention);
  await withBackupUrl(settings, async (url) => {
    for (const name of pruned.backups) await recordRemoved(url, name);
  });
  return pruned;
}

import type { Command } from 'commander';
import { type Asked, type Outcome, restore } from '../../backup/restore-command.ts';
import type { Target } from '../../backup/wal-server.ts';
import { UsageError } from '../../failure.ts';
import { readSettings } from '../../settings.ts';
import { print, say } from '../../terminal.ts';
import { readTime } from './time.ts';

interface Options {
  latest?: boolean;
  name?: string;
  toTime?: string;
  asOfBackup?: boolean;
  into?: string;
  erase?: boolean;
}

export function register(backup: Command): void {
  backup
    .command('restore')
    .description('a backup and the log since, into a data directory; nothing is replaced before it has worked')
    .option('--latest', 'all there is (the default)')
    .option('--name <backup>', 'this backup and the log since')
    .option('--to-time <time>', 'as it was at that time, with its zone: 2026-11-24T21:00:00Z')
    .option('--as-of-backup', 'no further than the end of the backup')
    .option('--into <folder>', 'the data directory to be; by default that of the private cluster')
    .option('--erase', 'replace what is there; it is set aside, not deleted')
    .option('--json', 'the outcome, as one JSON object')
    .action(async ({ json, ...options }: Options & { json?: boolean }) => {
      const outcome = await restore(readSettings(), readAsked(options));
      if (json) print(JSON.stringify(outcome));
      else tell(outcome);
    });
}

function readAsked({ latest, name, toTime, asOfBackup, into, erase }: Options): Asked {
  if ([latest, toTime, asOfBackup].filter(Boolean).length > 1) {
    throw new UsageError('--latest, --to-time and --as-of-backup exclude one another.');
  }
  const target: Target = toTime === undefined ? (asOfBackup ? 'backup' : 'latest') : readTime(toTime);
  return { name, target, into, erase: erase ?? false };
}

function tell({ backup, into, lastSegment, aside, erasures, seconds, next }: Outcome): void {
  say(`Restored ${backup} into ${into} in ${seconds.toFixed(1)} s${lastSegment ? `, with the log up to ${lastSegment}` : ''}.`);
  say(`Erasures: ${erasures}.`);
  if (aside) say(`What was there is now ${aside}: delete it when all is well.`);
  for (const line of next) say(line);
}

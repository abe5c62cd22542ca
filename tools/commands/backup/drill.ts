import path from 'node:path';
import type { Command } from 'commander';
import { keepDrill, recordDrill, withBackupUrl } from '../../backup/catalogue.ts';
import { drill, type Drill } from '../../backup/drill.ts';
import { showBytes } from '../../backup/progress.ts';
import { openRepository } from '../../backup/repository.ts';
import { chooseBackup } from '../../backup/restore.ts';
import type { Target } from '../../backup/wal-server.ts';
import { Failure } from '../../failure.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { drawTable, print, say } from '../../terminal.ts';
import { readTime } from './time.ts';

interface Options {
  latest?: boolean;
  name?: string;
  toTime?: string;
  scratch?: string;
}

export function register(backup: Command): void {
  backup
    .command('drill')
    .description('restore into a scratch cluster, look whether everything is there and works, and time it')
    .option('--name <backup>', 'this backup instead of the newest')
    .option('--latest', 'and replay the log since: the recovery point is then measured, the rows not compared')
    .option('--to-time <time>', 'likewise, up to that time')
    .option('--scratch <folder>', 'where the scratch cluster may be, and be removed; by default beside the private one')
    .option('--json', 'the drill, as one JSON object')
    .action(async ({ json, ...options }: Options & { json?: boolean }) => {
      const found = await practise(readSettings(), options);
      if (json) print(JSON.stringify(found));
      else tell(found);
      if (found.passed) return;
      const failed = found.checks.filter(({ passed }) => passed === false).map(({ name }) => name);
      throw new Failure(`The backup ${found.backup} does not hold: ${failed.join(', ')}.`, 'Make a new one, and drill that.');
    });
}

function tell({ backup, restoreSeconds, recoveryPoint, startedAt, checks }: Drill): void {
  const states = checks.map(({ name, passed, found, seconds }) => [
    name,
    passed === null ? 'not done' : passed ? 'holds' : 'FAILS',
    seconds.toFixed(2),
    found,
  ]);
  print(drawTable(['check', 'state', 'seconds', 'found'], states));
  say(`Restored ${backup}, from nothing to a server that takes writes, in ${restoreSeconds.toFixed(1)} s.`);
  if (!recoveryPoint) return;
  const age = (new Date(startedAt).getTime() - new Date(recoveryPoint).getTime()) / 1000;
  say(`The last commit in it is of ${recoveryPoint}, ${age.toFixed(1)} s before the drill.`);
}

/** Restores into a scratch cluster and looks at it; what was found is recorded, also when it is bad. */
export async function practise(settings: Settings, { name, latest, toTime, scratch }: Options): Promise<Drill> {
  const repository = openRepository(settings.backup);
  const target: Target = toTime === undefined ? (latest ? 'latest' : 'backup') : readTime(toTime);
  const folder = path.resolve(scratch ?? settings.home, `drill-${process.pid}`);
  const { archives } = await chooseBackup(repository, { name, target });
  const progress = showBytes('Restoring', archives.reduce((sum, { bytes }) => sum + bytes, 0));
  let found: Drill;
  try {
    found = await drill(settings, repository, { name, target, scratch: folder, onProgress: progress.advance });
  } finally {
    progress.end();
  }
  await keepDrill(repository, found);
  await withBackupUrl(settings, (url) => recordDrill(url, found));
  return found;
}

import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from '../cluster/lock.ts';
import { openHome } from '../cluster/home.ts';
import { apply, journalOf } from '../commands/erasures.ts';
import { Failure, messageOf, UsageError } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { showBytes } from './progress.ts';
import { openRepository } from './repository.ts';
import { chooseBackup, putInPlace, refuseOccupied, refuseRunning, type Restored, restoreInto } from './restore.ts';
import type { Target } from './wal-server.ts';

/** What a restore was asked to do. */
export interface Asked {
  name?: string | undefined;
  target: Target;
  /** The data directory; that of the private cluster when not said. */
  into?: string | undefined;
  /** Whether what is there may be replaced. */
  erase: boolean;
}

/** What became of it, for whoever has to go on from here. */
export interface Outcome {
  backup: string;
  into: string;
  lastSegment: string | undefined;
  /** Where what was there before is now. */
  aside: string | undefined;
  erasures: string;
  seconds: number;
  /** What to do next, line by line. */
  next: string[];
}

/**
 * Restores a data directory, applies the journal of erasures, and puts it in its place only when all that is done:
 * a restore that fails leaves everything as it was.
 */
export async function restore(settings: Settings, asked: Asked): Promise<Outcome> {
  const began = Date.now();
  const home = openHome(settings.home);
  const repository = openRepository(settings.backup);
  const backup = await chooseBackup(repository, asked);
  const own = backup.embedded && !settings.databaseUrl ? home.data : undefined;
  const into = asked.into === undefined ? own : path.resolve(asked.into);
  if (!into) throw new UsageError('Where to?', '--into <folder>: the data directory to be, new or empty.');
  const work = async (): Promise<Outcome> => {
    refuseOccupied(settings, into, asked.erase);
    const [draft, tablespaces] = [`${into}.restoring`, `${into}.tablespaces`];
    if (existsSync(tablespaces)) throw new Failure(`${tablespaces} is in the way.`, 'Move it elsewhere.');
    // A restore that was killed may have left its server there.
    refuseRunning(settings, draft, 'A restore was killed and left it. End that process, and restore again.');
    rmSync(draft, { recursive: true, force: true });
    // Root's server runs as another account, which must pass through here.
    mkdirSync(path.dirname(into), { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    const total = backup.archives.reduce((sum, { bytes }) => sum + bytes, 0);
    const progress = showBytes('Restoring', total);
    let restored: Restored;
    try {
      restored = await restoreInto(settings, repository, { ...asked, name: backup.name, into: draft, tablespaces, durable: true, onProgress: progress.advance });
    } catch (error) {
      for (const each of [draft, tablespaces]) rmSync(each, { recursive: true, force: true });
      throw error;
    } finally {
      progress.end();
    }
    const erasures = await applyErasures(settings, restored).finally(() => restored.server.stop());
    handOverHistory(draft);
    const aside = putInPlace(draft, into);
    return {
      backup: backup.name,
      into,
      lastSegment: restored.lastSegment,
      aside,
      erasures,
      seconds: (Date.now() - began) / 1000,
      next: howToStart(into, home.data, backup.version),
    };
  };
  // Nobody starts the private cluster while it is being replaced.
  return into === home.data ? withLock(home.locks, work, 'which restores the server') : work();
}

/**
 * Lets the restored server give its archive_command the history of its new timeline. It recovered without one, and
 * unless the archive has that file, a later restore would end where the old timeline was left.
 */
function handOverHistory(data: string): void {
  const log = path.join(data, 'pg_wal');
  const status = path.join(log, 'archive_status');
  mkdirSync(status, { recursive: true, mode: 0o700 });
  const { uid, gid } = statSync(log);
  for (const name of readdirSync(log).filter((each) => each.endsWith('.history'))) {
    const ready = path.join(status, `${name}.ready`);
    if (existsSync(path.join(status, `${name}.done`)) || existsSync(ready)) continue;
    writeFileSync(ready, '', { mode: 0o600 });
    if (process.getuid?.() === 0) chownSync(ready, uid, gid);
  }
}

/** Whom the hospital erased since, a backup brings back. */
async function applyErasures(settings: Settings, restored: Restored): Promise<string> {
  const journal = journalOf(settings);
  if (!existsSync(journal)) return `no journal at ${journal}: if there is one elsewhere, apply it before the doors open`;
  const { adminUrl: _, ...rest } = settings;
  try {
    const applied = await apply({ ...rest, databaseUrl: restored.url('hospital_owner') }, journal);
    const count = (outcome: string): number => applied.filter((each) => each.outcome === outcome).length;
    const again = `${count('erased')} erased again, ${count('already')} were, ${count('absent')} not here`;
    return count('refused') === 0 ? again : `${again}; ${count('refused')} REFUSED: infirmary erasures apply tells why`;
  } catch (error) {
    return `NOT applied (${messageOf(error)}): infirmary erasures apply ${journal}`;
  }
}

function howToStart(into: string, own: string, version: number): string[] {
  if (into === own) return ['Start it: infirmary db start', 'Then make a backup: infirmary backup create'];
  if (path.basename(into) === 'cluster') {
    return [
      `Put secrets.json and keys/ of the old home into ${path.dirname(into)}.`,
      `Start it: INFIRMARY_HOME=${path.dirname(into)} infirmary db start`,
    ];
  }
  return [
    `Start it with PostgreSQL ${version} and your own configuration: pg_ctl -D ${into} start`,
    'Then make a backup: infirmary backup create',
  ];
}

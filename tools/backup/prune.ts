import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../failure.ts';
import { parseLsn, segmentAt } from './lsn.ts';
import { alone, listBackups, type Manifest, type Repository } from './repository.ts';
import { flushFolder } from './stored.ts';
import { verifyBackup } from './verify.ts';
import { folderOf, listLog } from './wal-archive.ts';
import { endingOf } from './stored.ts';

/** Of how many days, weeks and months the last backup is kept. */
export interface Retention {
  daily: number;
  weekly: number;
  monthly: number;
}

/** What is to go, or has gone. */
export interface Pruned {
  backups: string[];
  /** Segments of the log from before the oldest backup that stays. */
  segments: string[];
}

/** The backups, of some given oldest first, that no rule keeps. The newest always stays. */
export function superfluous(backups: Manifest[], { daily, weekly, monthly }: Retention): Manifest[] {
  const newestFirst = backups.toReversed();
  const kept = new Set(newestFirst.slice(0, 1));
  for (const [count, periodOf] of [
    [daily, (each: Manifest) => each.finishedAt.slice(0, 10)],
    [weekly, weekOf],
    [monthly, (each: Manifest) => each.finishedAt.slice(0, 7)],
  ] as const) {
    const lastOf = new Map<string, Manifest>();
    for (const each of newestFirst) {
      const period = periodOf(each);
      if (!lastOf.has(period) && lastOf.size < count) lastOf.set(period, each);
    }
    for (const each of lastOf.values()) kept.add(each);
  }
  return backups.filter((each) => !kept.has(each));
}

/** The Monday of its week. */
function weekOf({ finishedAt }: Manifest): string {
  const day = new Date(`${finishedAt.slice(0, 10)}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

/** What pruning would remove. */
export async function planPrune(repository: Repository, retention: Retention): Promise<Pruned> {
  const { backups } = await listBackups(repository);
  const gone = superfluous(backups, retention);
  const oldest = backups.find((each) => !gone.includes(each));
  return {
    backups: gone.map(({ name }) => name),
    segments: oldest ? await segmentsBefore(repository, oldest) : [],
  };
}

/** A branch of the log that was left later may still be wanted, so only what lies before on every timeline goes. */
async function segmentsBefore(repository: Repository, oldest: Manifest): Promise<string[]> {
  const start = segmentAt(oldest.timeline, parseLsn(oldest.startLsn), oldest.segmentSize);
  const { segments } = await listLog(repository);
  return [...segments].flatMap(([timeline, names]) =>
    timeline > oldest.timeline ? [] : names.filter((name) => name.slice(8) < start.slice(8)),
  );
}

/**
 * Removes what no rule keeps, after reading the newest backup to its last byte.
 * @throws Failure when that is not good: then the older ones may be all there is
 */
export function prune(repository: Repository, retention: Retention): Promise<Pruned> {
  return alone(repository, async () => {
    const { backups, damaged } = await listBackups(repository);
    const newest = backups.at(-1);
    const [finding] = newest ? await verifyBackup(repository, newest) : [];
    const problem = finding ? `${finding.file} ${finding.problem}` : damaged[0]?.problem;
    if (problem) {
      throw new Failure(
        `Nothing was removed, since not every backup that stays is good: ${problem}.`,
        'Make a new one, and look after what is damaged: infirmary backup verify',
      );
    }
    const pruned = await planPrune(repository, retention);
    for (const name of pruned.backups) {
      // First its name goes: half a backup is none.
      await rm(path.join(repository.backups, name, 'manifest.json'), { force: true });
      await rm(path.join(repository.backups, name), { recursive: true, force: true });
    }
    await flushFolder(repository.backups);
    for (const name of pruned.segments) await rm(path.join(folderOf(repository, name), name + endingOf(repository.key)), { force: true });
    return pruned;
  });
}

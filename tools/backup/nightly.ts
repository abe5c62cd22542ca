import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../cluster/lock.ts';
import { create } from '../commands/backup/create.ts';
import { prune } from '../commands/backup/prune.ts';
import { verify } from '../commands/backup/verify.ts';
import { Failure, messageOf } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { say } from '../terminal.ts';
import { listBackups, openRepository } from './repository.ts';

const hour = 60 * 60_000;

/**
 * What every night asks for: a new backup, read to its last byte, and the removal of those whose time has come.
 * Returns how many backups were made: none when the newest is of this night, so that the worker and a clock of the
 * operator's may both ask for it.
 */
export async function backUpNightly(settings: Settings): Promise<number> {
  const repository = openRepository(settings.backup);
  const locks = path.join(repository.folder, 'locks', 'nightly');
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  return withLock(locks, () => backUp(settings), 'which makes the backup of this night');
}

async function backUp(settings: Settings): Promise<number> {
  const { backups } = await listBackups(openRepository(settings.backup));
  const newest = backups.at(-1);
  const age = newest && Date.now() - new Date(newest.finishedAt).getTime();
  // One of the future was made by a clock that was wrong, and says nothing of tonight.
  if (age !== undefined && age >= 0 && age < 12 * hour) return 0;
  const { name } = await create(settings);
  const [finding] = await verify(settings, name);
  if (finding) {
    throw new Failure(`The backup of this night is damaged already: ${finding.file} ${finding.problem}.`, 'Look after the disk of the repository.');
  }
  await prune(settings, settings.backup.keep, true);
  return 1;
}

/**
 * The same without a worker, now and at 01:30 UTC of every night; what failed is told, and tried again in an hour.
 * Comes to no end by itself.
 */
export async function backUpEveryNight(settings: Settings): Promise<never> {
  for (;;) {
    let pause = untilNight(new Date());
    try {
      if ((await backUpNightly(settings)) > 0) say('The backup of this night is made and verified.');
    } catch (error) {
      say(`The backup failed, and is tried again in an hour: ${messageOf(error)}`);
      pause = hour;
    }
    await sleep(pause);
  }
}

/** Milliseconds to the next 01:30 UTC. */
export function untilNight(now: Date): number {
  const night = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), 1, 30);
  return (night > now.getTime() ? night : night + 24 * hour) - now.getTime();
}

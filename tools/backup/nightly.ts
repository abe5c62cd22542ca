import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../settings.ts';
import { create, prune, verify } from '../commands/backup.ts';
import { messageOf } from '../failure.ts';
import { say } from '../terminal.ts';
import { listBackups, openRepository } from './repository.ts';

const hour = 60 * 60_000;

/**
 * What every night asks for: a new backup, read to its last byte, and the removal of those whose time has come.
 * Returns how many backups were made: none when the newest is of this night, so that it may be asked for twice.
 */
export async function backUpNightly(settings: Settings): Promise<number> {
  const { backups } = await listBackups(openRepository(settings.backup));
  const newest = backups.at(-1);
  if (newest && Date.now() - new Date(newest.finishedAt).getTime() < 12 * hour) return 0;
  const { name } = await create(settings);
  const findings = await verify(settings, name);
  if (findings.length > 0) throw new Error(`${findings[0]!.file} ${findings[0]!.problem}`);
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
      if ((await backUpNightly(settings)) > 0) say('A backup is made and verified.');
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

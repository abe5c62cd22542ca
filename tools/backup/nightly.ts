import type { Settings } from '../settings.ts';
import { create, prune, verify } from '../commands/backup.ts';
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

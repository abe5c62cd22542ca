import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../failure.ts';
import { headFile, headOf, readHistory } from './history.ts';

/**
 * Takes the newest signed migration back: its hand-written files return to migrations/current, its
 * staged copies are dropped (the living files are still there). Only for what nobody has deployed.
 * @returns the migration and the files that it became again
 */
export async function unsign(root: string): Promise<{ file: string; restored: string[] }> {
  const { migrations } = await readHistory(root);
  const last = migrations.pop();
  if (!last) throw new Failure('There is no signed migration to take back.');
  const committed = path.join(root, 'migrations/committed');
  const current = path.join(root, 'migrations/current');
  await mkdir(current, { recursive: true });
  const written = last.parts.filter((part) => !part.source && !/^5\d+-prologue\.sql$/.test(part.name));
  for (const part of written) {
    const taken = await access(path.join(current, part.name)).then(
      () => true,
      () => false,
    );
    if (taken)
      throw new Failure(`migrations/current/${part.name} is there already.`, 'Rename it, then try again.');
  }
  for (const part of written) await writeFile(path.join(current, part.name), part.text);
  await rm(path.join(committed, last.file));
  if (migrations.length > 0) await writeFile(path.join(committed, headFile), headOf(migrations));
  else await rm(path.join(committed, headFile), { force: true });
  return { file: last.file, restored: written.map((part) => `migrations/current/${part.name}`) };
}

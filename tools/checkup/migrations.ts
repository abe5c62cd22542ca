import { existsSync } from 'node:fs';
import path from 'node:path';
import { readHistory } from '../migrate/history.ts';
import type { Recorded } from '../migrate/run.ts';
import { verify } from '../migrate/verify.ts';
import { projectFolder } from '../settings.ts';
import type { Finding, Look } from './check.ts';

/** Judges what a database has had by what is signed here, both oldest first. */
export function judgeMigrations(signed: readonly { file: string; hash: string }[], had: readonly Recorded[]): Finding[] {
  const other = had.find((row, index) => row.hash !== signed[index]?.hash);
  if (other) {
    return [
      {
        problem: `The database was migrated with another ${other.filename} than is signed here.`,
        remedy: 'Deploy the version of Infirmary that the database was migrated with, or a later one',
      },
    ];
  }
  return signed.slice(had.length).map(({ file }) => ({
    problem: `The migration ${file} has not been applied.`,
    remedy: 'infirmary migrate',
  }));
}

/** Finds migrations that are missing, are others than those signed here, or were never signed. */
export async function lookAtMigrations({ monitor }: Look): Promise<Finding[]> {
  const { migrations, problems: broken } = await readHistory(projectFolder);
  const { rows } = await monitor.query<Recorded>('select filename, hash from ops.applied_migrations()');
  // An image carries what was signed and no living files to compare it with.
  const isWorkingTree = existsSync(path.join(projectFolder, 'policies'));
  const problems = isWorkingTree ? (await verify(projectFolder)).problems : broken;
  return [
    ...judgeMigrations(migrations, rows),
    ...problems.map(splitRemedy),
  ];
}

/** `verify` says both in one line: what is wrong, a colon, and what to do. */
function splitRemedy(line: string): Finding {
  const at = line.lastIndexOf(': ');
  return { problem: `${line.slice(0, at)}.`, remedy: line.slice(at + 2) };
}

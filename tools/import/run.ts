import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { withClient } from '../database.ts';
import { codeOf, Failure, messageOf } from '../failure.ts';
import type { Progress } from '../terminal.ts';
import { copyFile } from './copy.ts';
import { type SourceFile, syntheaFiles } from './files.ts';
import { problemOfHeading } from './read.ts';
import { readRun, recordRun, type Summary } from './summary.ts';

export interface ImportOptions {
  /** Do everything, roll it back and tell what would have happened. */
  isRehearsal?: boolean;
  /** Told what a person should know meanwhile. */
  report?: (line: string) => void;
  /** Begins to show how much of so many bytes is read. */
  showProgress?: (bytes: number) => Progress;
}

/** The key of the advisory lock that one import at a time holds, as SQL. */
export const importLock = `hashtextextended('infirmary import', 0)`;

const steps = path.join(import.meta.dirname, 'synthea');
const silence: Progress = { advance: () => {}, end: () => {} };

/**
 * Imports a Synthea export: what is there already stays, what cannot be loaded goes to
 * staging.import_rejects, and everything else is loaded in one transaction.
 * @param ownerUrl the hospital's database, as hospital_owner
 * @throws Failure when the folder or a file in it is not of a Synthea export; nothing is loaded then
 */
export async function importSynthea(
  ownerUrl: string,
  directory: string,
  { isRehearsal = false, report = () => {}, showProgress = () => silence }: ImportOptions = {},
): Promise<Summary> {
  const began = performance.now();
  const folder = path.resolve(directory);
  const files = await findFiles(folder);
  return withClient(ownerUrl, async (client) => {
    await refuseUnmigrated(client);
    await takeTurn(client, report);
    try {
      await land(client, folder, files, showProgress);
      const outcome = await load(client, folder, files, isRehearsal);
      const seconds = Math.round(performance.now() - began) / 1000;
      return { directory: folder, isRehearsal, seconds, ...outcome };
    } finally {
      await empty(client).catch(() => {});
    }
  });
}

/** The files of the folder that we import, all of their headings checked. */
async function findFiles(folder: string): Promise<SourceFile[]> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new Failure(
      `There is no folder ${folder}.`,
      'Name the folder that holds patients.csv and its companions.',
    );
  }
  const files = syntheaFiles.filter(({ name }) => existsSync(fileIn(folder, name)));
  if (files.length === 0) {
    throw new Failure(
      `${folder} holds no file of a Synthea export.`,
      `Name the folder that holds ${syntheaFiles.map(({ name }) => `${name}.csv`).join(', ')}.`,
    );
  }
  const problems: string[] = [];
  for (const file of files) {
    const problem = await problemOfHeading(fileIn(folder, file.name), file).catch(messageOf);
    if (problem) problems.push(`${file.name}.csv: ${problem}`);
  }
  if (problems.length > 0) {
    throw new Failure(
      `These are not files of a Synthea export:\n  - ${problems.join('\n  - ')}`,
      'Nothing was loaded. Save them as CSV with the heading that Synthea writes, or take them away.',
    );
  }
  return files;
}

function fileIn(folder: string, name: string): string {
  return path.join(folder, `${name}.csv`);
}

async function refuseUnmigrated(client: Client): Promise<void> {
  const { rows } = await client.query<{ is_there: boolean }>(
    `select to_regclass('staging.import_runs') is not null as is_there`,
  );
  if (!rows[0]?.is_there) {
    throw new Failure('The database is not migrated yet.', 'Set the hospital up: npm start, or infirmary migrate');
  }
}

/** The staging tables are one import's at a time. The lock goes with the connection. */
async function takeTurn(client: Client, report: (line: string) => void): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${importLock}) as taken`);
  if (rows[0]?.taken) return;
  report('Another import is running: waiting for it to finish.');
  await client.query(`select pg_advisory_lock(${importLock})`);
}

async function land(
  client: Client,
  folder: string,
  files: readonly SourceFile[],
  showProgress: (bytes: number) => Progress,
): Promise<void> {
  await empty(client);
  const sizes = await Promise.all(files.map(async ({ name }) => (await stat(fileIn(folder, name))).size));
  const progress = showProgress(sizes.reduce((sum, size) => sum + size, 0));
  try {
    for (const file of files) {
      await copyFile(client, fileIn(folder, file.name), file, progress.advance);
      await client.query(`analyze staging.synthea_${file.name}`);
    }
  } finally {
    progress.end();
  }
}

async function empty(client: Client): Promise<void> {
  await client.query(`truncate ${syntheaFiles.map(({ name }) => `staging.synthea_${name}`).join(', ')}`);
}

/** Runs the steps of synthea/ in the order of their numbers, all or nothing. */
async function load(
  client: Client,
  folder: string,
  files: readonly SourceFile[],
  isRehearsal: boolean,
): Promise<Pick<Summary, 'files' | 'rejects' | 'remarks'>> {
  await client.query('begin');
  try {
    for (const step of (await readdir(steps)).filter((name) => name.endsWith('.sql')).sort()) {
      await client.query(await readFile(path.join(steps, step), 'utf8')).catch((error: unknown) => {
        throw new Failure(
          `Step ${path.parse(step).name} failed (${codeOf(error)}): ${messageOf(error)}`,
          'Nothing was loaded. This is a fault of the importer: please report it.',
          { cause: error },
        );
      });
    }
    const run = await recordRun(client, folder, files.map(({ name }) => name));
    const outcome = await readRun(client, run);
    await client.query(isRehearsal ? 'rollback' : 'commit');
    return outcome;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

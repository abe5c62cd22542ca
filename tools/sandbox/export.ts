import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import type { Progress } from '../terminal.ts';

/** The masked views that are exported, each into a file of its name, and whose rows they show. */
const views = {
  patients: 'patients',
  appointments: 'appointments',
  visits: 'visits',
  diagnoses: 'visit_diagnoses',
  conditions: 'patient_conditions',
  prescriptions: 'prescriptions',
  treatments: 'treatments',
} as const;

const manifestName = 'manifest.json';
const ours: readonly string[] = [...Object.keys(views).map((view) => `${view}.csv`), manifestName];

/** What an export holds, as its manifest says. */
export interface Manifest {
  /** Pseudonyms and moved dates are of this release alone. */
  release: number;
  /** The first day that is no longer in it. */
  until: string;
  /** How many patients share a category that is not called rare, at least. */
  smallestCell: number;
  files: { name: string; rows: number; bytes: number; sha256: string }[];
}

export interface ExportOptions {
  /** Replace an export that is there. */
  erase?: boolean;
  /** Begins to show how much of so many rows, at most, is written. */
  showProgress?: (rows: number) => Progress;
}

const silence: Progress = { advance: () => {}, end: () => {} };

/**
 * Writes the masked views as CSV files, under a release of its own whose secrets exist in this
 * transaction and are destroyed at its end: no key of one export is in another, and nobody keeps what
 * they were made with. The manifest is written last; a folder without one is no export.
 * @param url the database, as its owner
 * @throws Failure when the folder holds anything, but for an export that `erase` lets go
 */
export async function exportSandbox(
  url: string,
  folder: string,
  { erase = false, showProgress = () => silence }: ExportOptions = {},
): Promise<Manifest> {
  await prepare(folder, erase);
  try {
    const manifest = await withClient(url, (client) => exportInto(client, folder, showProgress));
    await writeFile(path.join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  } catch (error) {
    await remove(folder);
    throw error;
  }
}

async function exportInto(
  client: Client,
  folder: string,
  showProgress: (rows: number) => Progress,
): Promise<Manifest> {
  // One snapshot for all files. The client's end rolls back what was not committed.
  await client.query(`begin isolation level repeatable read; set local datestyle = 'ISO'`);
  await client.query(`select hospital_private.start_masking_release('sandbox')`);
  const { rows } = await ask(client, 'select release::integer, until, smallest_cell from masked.release');
  const [release, until, smallestCell] = rows[0] as [number, string, number];
  const files: Manifest['files'] = [];
  const progress = showProgress(await countRows(client));
  try {
    for (const view of Object.keys(views)) {
      files.push(await exportView(client, view, folder, progress));
    }
  } finally {
    progress.end();
  }
  await client.query('select hospital_private.retire_masking_release($1)', [release]);
  await client.query('commit');
  return { release, until, smallestCell, files };
}

/** How many rows there are to choose from. */
async function countRows(client: Client): Promise<number> {
  const counts = Object.values(views).map((table) => `(select count(*) from hospital.${table})`);
  return Number((await ask(client, `select ${counts.join(' + ')}`)).rows[0]?.[0]);
}

async function exportView(
  client: Client,
  view: string,
  folder: string,
  progress: Progress,
): Promise<Manifest['files'][number]> {
  const name = `${view}.csv`;
  const hash = createHash('sha256');
  let bytes = 0;
  const source = client.query(copyTo(`copy (select * from masked.${view}) to stdout (format csv, header)`));
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      progress.advance(countLines(chunk));
      done(null, chunk);
    },
  });
  // For whoever exported them: they are not anonymous.
  const file = createWriteStream(path.join(folder, name), { flags: 'wx', mode: 0o600 });
  await pipeline(source, meter, file);
  return { name, rows: source.rowCount, bytes, sha256: hash.digest('hex') };
}

function countLines(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** Makes the folder, or makes room in it; what no export wrote is never touched. */
async function prepare(folder: string, erase: boolean): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOTDIR') throw error;
    throw new Failure(`${folder} is no folder.`, 'Name one that is empty or does not exist.', {
      cause: error,
    });
  });
  const entries = await readdir(folder);
  if (entries.length === 0) return;
  const foreign = entries.find((entry) => !ours.includes(entry));
  if (foreign !== undefined) {
    throw new Failure(
      `${folder} holds ${foreign}, which no export wrote; nothing was changed.`,
      'Name a folder that is empty or does not exist.',
    );
  }
  if (!erase) {
    throw new Failure(
      `${folder} holds an export already; nothing was changed.`,
      'Name another folder, or --erase that export.',
    );
  }
  await remove(folder);
}

async function remove(folder: string): Promise<void> {
  for (const name of ours) await rm(path.join(folder, name), { force: true });
}

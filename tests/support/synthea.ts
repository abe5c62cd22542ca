import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ask, withClient } from '../../tools/database.ts';
import { importSynthea } from '../../tools/import/run.ts';
import type { Summary } from '../../tools/import/summary.ts';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase } from './database.ts';

/** A small export, written for the tests, in which every kind of trouble occurs. */
export const fixture = path.join(projectFolder, 'tests', 'fixtures', 'synthea');

/** A copy of the small export to change. */
export interface Export {
  directory: string;
  /** Rewrites a file, `patients` for instance. Its text has LF line ends, whatever git made of them. */
  edit(file: string, change: (text: string) => string | Buffer): Promise<void>;
  remove(file: string): Promise<void>;
  dispose(): Promise<void>;
}

export async function copyFixture(): Promise<Export> {
  const directory = await mkdtemp(path.join(tmpdir(), 'infirmary-synthea-'));
  await cp(fixture, directory, { recursive: true });
  const place = (file: string): string => path.join(directory, `${file}.csv`);
  return {
    directory,
    edit: async (file, change) => {
      const text = (await readFile(place(file), 'utf8')).replaceAll('\r\n', '\n');
      await writeFile(place(file), change(text));
    },
    remove: (file) => rm(place(file)),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Imports the small export into a database of its own; returns the summary and the owner's URL. */
export async function importFixture(): Promise<{ url: string; summary: Summary }> {
  const url = (await cloneDatabase()).url('hospital_owner');
  return { url, summary: await importSynthea(url, fixture) };
}

/** The rows of a query as the owner, with every instant in UTC. */
export function rowsOf(url: string, query: string): Promise<unknown[][]> {
  return withClient(url, async (client) => {
    await client.query(`set time zone 'UTC'`);
    return (await ask(client, query)).rows;
  });
}

/** How many rows each table of the hospital has and a digest of all they say. */
export function digestHospital(url: string): Promise<Map<string, string>> {
  return withClient(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select oid::regclass::text as name
       from pg_class
       where relnamespace in ('hospital'::regnamespace, 'hospital_private'::regnamespace) and relkind = 'r'
       order by 1`,
    );
    const digests = new Map<string, string>();
    for (const { name } of tables) {
      const { rows } = await client.query<{ digest: string }>(
        `select count(*) || ' ' || coalesce(md5(string_agg(t::text, '' order by t::text)), '') as digest
         from ${name} as t`,
      );
      digests.set(name, rows[0]!.digest);
    }
    return digests;
  });
}

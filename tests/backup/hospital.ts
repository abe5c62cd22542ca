import { randomBytes } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext } from 'node:test';
import type { Client } from 'pg';
import { prepareHospital } from '../../tools/cluster/prepare.ts';
import { ask, withClient } from '../../tools/database.ts';
import { applySources } from '../../tools/migrate/apply.ts';
import { readChange } from '../../tools/migrate/stage.ts';
import { projectFolder, type Settings } from '../../tools/settings.ts';
import { makePerson } from '../privacy/person.ts';
import { acquireServer, makeSettings } from '../support/cluster.ts';

/** Settings of a cluster of the test file's own, removed when the file ends: a backup is of a whole cluster. */
export const hospital: Settings = makeSettings({ after } as unknown as TestContext);

/** Makes a hospital in it. */
export async function makeHospital(settings = hospital): Promise<void> {
  const server = await acquireServer(settings);
  try {
    await prepareHospital(server, settings.database);
    const { current, changed } = await readChange(projectFolder);
    await applySources(server.url('hospital_owner'), [...current, ...changed]);
  } finally {
    await server.release();
  }
}

/** People in it, one of whom has a row of everything about patients: whom to erase, and to ask as. Returns his key. */
export async function addPeople(settings = hospital): Promise<number> {
  return asAdministrator(settings, async (client) => {
    // Of pgTAP, which some of the tests' own functions use, nothing is needed here.
    await client.query(
      'create schema tests; grant usage on schema tests to public; grant create on schema tests to hospital_owner; set check_function_bodies = off',
    );
    for (const file of globSync('tests/support/*.sql', { cwd: projectFolder }).sort()) {
      await client.query(readFileSync(path.join(projectFolder, file), 'utf8'));
    }
    const person = await makePerson(client);
    // Somebody who acts for nobody else.
    await client.query(`select tests.appointment(tests.id_of('dora'), tests.patient('cara@example.test', 'Cole'), tests.next_working_instant(tests.id_of('dora'), '14:00'))`);
    return person;
  });
}

/** Works in the hospital's database as its superuser. */
export async function asAdministrator<Result>(settings: Settings, work: (client: Client) => Promise<Result>): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('postgres', settings.database), work);
  } finally {
    await server.release();
  }
}

/** The settings with an empty repository of the test's own, encrypted if asked for. */
export function withRepository(t: TestContext, settings: Settings, isEncrypted = false): Settings {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-backups-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const backup = { ...settings.backup, repository: path.join(folder, 'repository') };
  if (!isEncrypted) return { ...settings, backup };
  const keyFile = path.join(folder, 'key');
  writeFileSync(keyFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  return { ...settings, backup: { ...backup, keyFile } };
}

/** Asks the hospital's database as its owner. */
export async function query(settings: Settings, sql: string): Promise<unknown[][]> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_owner'), async (client) => (await ask(client, sql)).rows);
  } finally {
    await server.release();
  }
}

/** The time by the server's clock. */
export async function now(settings: Settings): Promise<string> {
  const [[time] = []] = await query(settings, `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`);
  return String(time);
}

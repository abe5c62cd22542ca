import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext } from 'node:test';
import { prepareHospital } from '../../tools/cluster/prepare.ts';
import { ask, withClient } from '../../tools/database.ts';
import { applySources } from '../../tools/migrate/apply.ts';
import { readChange } from '../../tools/migrate/stage.ts';
import { projectFolder, type Settings } from '../../tools/settings.ts';
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

/** The settings with an empty repository of the test's own, encrypted if asked for. */
export function withRepository(t: TestContext, settings: Settings, isEncrypted = false): Settings {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-backups-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const backup = { ...settings.backup, repository: path.join(folder, 'repository') };
  if (!isEncrypted) return { ...settings, backup };
  const keyFile = path.join(folder, 'key');
  writeFileSync(keyFile, `${randomBytes(32).toString('hex')}\n`);
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

import { cpSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Client } from 'pg';
import { acquireServer, passwordsOf, type Server } from '../../tools/cluster/server.ts';
import { prepareDatabase } from '../../tools/migrate/database.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import type { Settings } from '../../tools/settings.ts';
import { createStandby } from '../../tools/standby/create.ts';
import { hospital as original, makeHospital } from '../backup/hospital.ts';
import { acquireServer as acquireQuick, makeSettings } from '../support/cluster.ts';

let made: Promise<void> | undefined;

/** A hospital that may be lost, and a folder for its standby. */
export interface Losable {
  settings: Settings;
  server: Server;
  /** The home folder of the standby to be, with the same programs. */
  spare: Settings;
  /** Connects, until the test ends. */
  connect(url: string): Promise<Client>;
  /** Is undone before the servers stop. */
  later(undo: () => Promise<unknown>): void;
}

/** Starts a hospital that flushes, as production does. */
export async function openHospital(t: TestContext): Promise<Losable> {
  await (made ??= makeHospital());
  // Copying it is much quicker than making another.
  return open(t, async ({ home }) => cpSync(original.home, home, { recursive: true }));
}

/** The same without any tables, where only the servers matter. */
export async function openEmpty(t: TestContext): Promise<Losable> {
  return open(t, async (settings) => {
    const server = await acquireQuick(settings);
    try {
      await applyRoles(server.url('postgres'), passwordsOf(server));
      await prepareDatabase(server, settings.database);
    } finally {
      await server.release();
    }
  });
}

async function open(t: TestContext, prepare: (settings: Settings) => Promise<void>): Promise<Losable> {
  const closing: (() => Promise<unknown>)[] = [];
  // Registered before the settings', which wait for everybody to have let go of the servers.
  t.after(async () => {
    for (const close of closing.toReversed()) await close();
  });
  const [settings, spare] = [makeSettings(t), makeSettings(t)];
  await prepare(settings);
  const server = await acquireServer(settings);
  closing.push(() => server.release());
  return {
    settings,
    server,
    spare,
    connect: async (url) => {
      const client = new Client({ connectionString: url });
      client.on('error', () => {});
      await client.connect();
      closing.push(() => client.end().catch(() => {}));
      return client;
    },
    later: (undo) => void closing.push(undo),
  };
}

/** A standby of it, in the spare home. */
export async function follow({ settings, spare }: Losable, synchronous = false): Promise<void> {
  await createStandby(settings, { into: spare.home, name: 'second', synchronous, erase: false });
}

/** The first column of the answer. */
export async function column(client: Client, sql: string, values: unknown[] = []): Promise<unknown[]> {
  return (await client.query({ text: sql, values, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
}

import { cpSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { Client } from 'pg';
import { acquireServer, type Server } from '../../tools/cluster/server.ts';
import type { Settings } from '../../tools/settings.ts';
import { createStandby } from '../../tools/standby/create.ts';
import { hospital as original, makeHospital } from '../backup/hospital.ts';
import { makeSettings } from '../support/cluster.ts';

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

/** Starts one that flushes, as production does. */
export async function openHospital(t: TestContext): Promise<Losable> {
  const closing: (() => Promise<unknown>)[] = [];
  // Registered before the settings', which wait for everybody to have let go of the servers.
  t.after(async () => {
    for (const close of closing.toReversed()) await close();
  });
  await (made ??= makeHospital());
  const [settings, spare] = [makeSettings(t), makeSettings(t)];
  // Copying it is much quicker than making another.
  cpSync(original.home, settings.home, { recursive: true });
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

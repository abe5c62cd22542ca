import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger, type Settings } from 'graphile-migrate';
import { getSettings } from 'graphile-migrate/dist/commands/_common.js';
import { clearAllPools } from 'graphile-migrate/dist/pg.js';
import { ask, withClient } from '../database.ts';

/** Called with each line that graphile-migrate says while it works. */
export type Report = (line: string) => void;

/** Where graphile-migrate connects: the database, and for signing its shadow and the server as such. */
export interface Connections {
  connectionString: string;
  shadowConnectionString?: string;
  rootConnectionString?: string;
}

/**
 * Runs something of graphile-migrate's library with the settings of .gmrc, our connections and our folder.
 * Its own console output, colours and stack traces are replaced by `report`.
 *
 * When it is done, its connections are closed. It would keep them for another 200 ms, and end the whole
 * process without a word when the server stops meanwhile.
 * @param root the project's folder
 */
export async function withGraphile<Result>(
  root: string,
  connections: Connections,
  report: Report,
  work: (settings: Settings) => Promise<Result>,
): Promise<Result> {
  const name = `infirmary-migrate-${randomUUID()}`;
  const named = Object.entries(connections).map(([key, url]) => {
    const changed = new URL(url);
    changed.searchParams.set('application_name', name);
    return [key, changed.href];
  });
  const settings: Settings = {
    ...(await getSettings({ configFile: path.join(root, '.gmrc') })),
    ...(Object.fromEntries(named) as Connections),
    migrationsFolder: path.join(root, 'migrations'),
    logger: new Logger(() => (level, message) => {
      if (level === 'info') report(message.replace(/^graphile-migrate(\[shadow\])?: /, ''));
    }),
  };
  try {
    return await work(settings);
  } finally {
    clearAllPools();
    // A server that is gone has no connections either.
    await untilClosed(connections.rootConnectionString ?? connections.connectionString, name).catch(
      () => {},
    );
  }
}

async function untilClosed(url: string, name: string): Promise<void> {
  await withClient(url, async (client) => {
    for (;;) {
      const { count } = await ask(client, 'select from pg_stat_activity where application_name = $1', [
        name,
      ]);
      if (count === 0) return;
      await sleep(10);
    }
  });
}

import path from 'node:path';
import type { Command } from 'commander';
import { loadDump } from '../../backup/dump.ts';
import { acquireServer } from '../../cluster/server.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { say } from '../../terminal.ts';

export function register(backup: Command): void {
  backup
    .command('load')
    .argument('<file>', 'a dump')
    .description('load a dump into a new or empty database of the server, as its administrator')
    .requiredOption('--database <name>', 'the database; it is created if it is not there')
    .action(async (file: string, { database }: { database: string }) => {
      await load(readSettings(), file, database);
      say(`${file} is loaded into "${database}".`);
    });
}

/** Loads a dump into an empty database of the server. */
export async function load(settings: Settings, file: string, database: string): Promise<void> {
  const server = await acquireServer(settings);
  try {
    await loadDump(server, database, path.resolve(file), { binDir: settings.pgBinDir });
  } finally {
    await server.release();
  }
}

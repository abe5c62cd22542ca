import path from 'node:path';
import type { Command } from 'commander';
import { type Dump, dumpDatabase } from '../../backup/dump.ts';
import { acquireServer } from '../../cluster/server.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { say } from '../../terminal.ts';

export function register(backup: Command): void {
  backup
    .command('dump')
    .description('the database as statements, which another version can load; no substitute for a backup')
    .requiredOption('--out <file>', 'where to')
    .option('--sql', 'as plain SQL, by the pg_dump that npm brings')
    .action(async ({ out, sql }: { out: string; sql?: boolean }) => {
      const { file, by } = await dump(readSettings(), out, sql ?? false);
      say(`${file} is a dump by ${by}. Load it with: infirmary backup load`);
    });
}

/** Dumps the hospital's database into a file. */
export async function dump(settings: Settings, file: string, asSql: boolean): Promise<Dump> {
  const server = await acquireServer(settings);
  try {
    return await dumpDatabase(server, settings.database, path.resolve(file), { binDir: settings.pgBinDir, asSql });
  } finally {
    await server.release();
  }
}

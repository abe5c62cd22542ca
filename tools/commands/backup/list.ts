import type { Command } from 'commander';
import { listBackups, openRepository } from '../../backup/repository.ts';
import { readSettings } from '../../settings.ts';
import { drawTable, print, say } from '../../terminal.ts';
import { megabytes } from './megabytes.ts';

export function register(backup: Command): void {
  backup
    .command('list')
    .description('the backups in the repository')
    .option('--json', 'their manifests')
    .action(async ({ json }: { json?: boolean }) => {
      const { backups, damaged } = await listBackups(openRepository(readSettings().backup));
      if (json) return print(JSON.stringify({ backups, damaged }));
      print(
        drawTable(
          ['name', 'finished', 'PostgreSQL', 'MB', 'stored MB', 'encrypted'],
          backups.map((each) => [
            each.name,
            each.finishedAt,
            each.serverVersion,
            megabytes(each, 'bytes'),
            megabytes(each, 'storedBytes'),
            each.key === null ? 'no' : 'yes',
          ]),
        ),
      );
      for (const { problem } of damaged) say(problem);
    });
}

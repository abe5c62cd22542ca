import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { openRepository } from '../../backup/repository.ts';
import { archiveLog } from '../../backup/wal-archive.ts';
import { readSettings } from '../../settings.ts';

export function register(backup: Command): void {
  backup
    .command('archive-wal')
    .argument('<path>', '%p')
    .description("for PostgreSQL's archive_command, where the log is not received: store one segment")
    .action(async (file: string) => {
      await archiveLog(openRepository(readSettings().backup), path.basename(file), await readFile(file));
    });
}

import type { Command } from 'commander';
import { backUpNightly } from '../../backup/nightly.ts';
import { readSettings } from '../../settings.ts';
import { say } from '../../terminal.ts';

export function register(backup: Command): void {
  backup
    .command('nightly')
    .description('what every night asks for: create, verify what was made, prune; once a night, however often it is asked for')
    .action(async () => {
      const made = await backUpNightly(readSettings());
      say(made === 0 ? 'The backup of this night is there already.' : 'The backup of this night is made and verified.');
    });
}

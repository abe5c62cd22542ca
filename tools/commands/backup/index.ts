import type { Command } from 'commander';
import * as archiveWal from './archive-wal.ts';
import * as create from './create.ts';
import * as drill from './drill.ts';
import * as dump from './dump.ts';
import * as list from './list.ts';
import * as load from './load.ts';
import * as nightly from './nightly.ts';
import * as prune from './prune.ts';
import * as receive from './receive.ts';
import * as restore from './restore.ts';
import * as verify from './verify.ts';

/** In the order `infirmary backup --help` lists them. */
const commands = [create, nightly, list, verify, prune, restore, drill, receive, archiveWal, dump, load];

export function register(program: Command): void {
  const backup = program.command('backup').description('copies of the whole cluster, and its log, in a repository');
  for (const command of commands) command.register(backup);
}

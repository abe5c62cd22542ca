import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import * as administrator from './commands/administrator.ts';
import * as audit from './commands/audit.ts';
import * as backup from './commands/backup/index.ts';
import * as bench from './commands/bench.ts';
import * as changes from './commands/changes.ts';
import * as db from './commands/db.ts';
import * as docs from './commands/docs.ts';
import * as erasures from './commands/erasures.ts';
import * as etl from './commands/etl.ts';
import * as importing from './commands/import.ts';
import * as migrate from './commands/migrate.ts';
import * as queries from './commands/queries.ts';
import * as report from './commands/report.ts';
import * as roles from './commands/roles.ts';
import * as sandbox from './commands/sandbox.ts';
import * as seed from './commands/seed.ts';
import * as sequences from './commands/sequences.ts';
import * as serve from './commands/serve.ts';
import * as start from './commands/start.ts';
import * as subscriber from './commands/subscriber.ts';
import * as work from './commands/work.ts';
import { describe, UsageError } from './failure.ts';
import { projectFolder } from './settings.ts';
import { isShuttingDown, requestStop, shutDown, stopOnSignals } from './shutdown.ts';
import { say } from './terminal.ts';

/** Every command, in the order `infirmary --help` lists them. */
const commands = [
  start, db, roles, migrate, importing, serve, work, administrator, audit, seed, sequences, etl, queries, report, sandbox, backup, erasures,
  changes, subscriber, bench, docs,
];

const wrongUsage = 2;

function build(): Command {
  const { version } = JSON.parse(readFileSync(path.join(projectFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const program = new Command('infirmary')
    .description("A hospital's system of record in which PostgreSQL itself holds every rule.")
    .version(version)
    .option('--debug', 'show where an unexpected error happened (or INFIRMARY_DEBUG=1)')
    .exitOverride()
    .showHelpAfterError('(infirmary --help lists the commands)');
  for (const command of commands) command.register(program);
  return program;
}

async function main(): Promise<number> {
  const debug = process.env.INFIRMARY_DEBUG === '1' || process.argv.includes('--debug');
  const report = (error: unknown): void => say(describe(error, debug));
  stopOnSignals(report);
  // What is thrown outside of any command, by a library's event say, must not leave a server behind either.
  process.on('uncaughtException', (error) => {
    report(error);
    requestStop(report, 1);
  });
  try {
    await build().parseAsync(process.argv.filter((argument) => argument !== '--debug'));
    return 0;
  } catch (error) {
    // Commander has said what is wrong with the command line; asking for help is not a failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsage;
    // What breaks because we are stopping is not worth a word.
    if (!isShuttingDown()) report(error);
    return error instanceof UsageError ? wrongUsage : 1;
  } finally {
    await shutDown(report);
  }
}

const code = await main();
if (!isShuttingDown()) process.exitCode = code;

import { type Command, InvalidArgumentError } from 'commander';
import { drawReport, type Report } from '../bench/report.ts';
import { startToStay } from '../cluster/embedded.ts';
import { readSecrets } from '../cluster/secrets.ts';
import { readSettings, type Settings } from '../settings.ts';
import { print, say } from '../terminal.ts';

/** What the command line says about a run. */
interface Choices {
  /** Appointments in the database. */
  size: number;
  json?: boolean;
  /** Whether the bench's server runs on afterwards. */
  keep?: boolean;
}

export function register(program: Command): void {
  program
    .command('bench')
    .description('measure on a seeded database of its own: all suites, or one')
    .argument('[name]', 'lookup, api, scheduling, security, analytics, backup, standby or pooling')
    .option('--size <appointments>', 'how many appointments to seed', parseSize, 1_000_000)
    .option('--json', 'print the report as JSON')
    .option('--keep', "let the bench's server run on, to look at its plans")
    .addHelpText('after', '\nThe data stay in <home>/bench and are used again while size and migrations are the same.')
    .action(async (name: string | undefined, choices: Choices) => {
      const report = await work(readSettings(), name, choices);
      print(choices.json ? JSON.stringify(report) : drawReport(report));
    });
}

/** Runs one suite, or all. A missed aim is a finding and no failure: it is reported with its plans. */
export async function work(settings: Settings, name: string | undefined, choices: Choices): Promise<Report> {
  // Only now: it loads the API and the seed, which no other command should wait for. The API measured is production's.
  process.env.GRAPHILE_ENV ??= 'production';
  const { bench, benchSettings, databaseName } = await import('../bench/index.ts');
  const report = await bench(settings, { ...(name !== undefined && { names: [name] }), size: choices.size });
  if (choices.keep) say(await keep(benchSettings(settings), databaseName(choices.size)));
  return report;
}

async function keep(settings: Settings, database: string): Promise<string> {
  const port = await startToStay(settings);
  const password = readSecrets(settings).passwords.hospital_owner;
  return [
    `The data: postgres://hospital_owner:${password}@127.0.0.1:${port}/${database}`,
    `Stop it with: INFIRMARY_HOME=${settings.home} npx infirmary db stop`,
  ].join('\n');
}

function parseSize(text: string): number {
  const size = Number(text.replaceAll(/[_,]/g, ''));
  if (!Number.isSafeInteger(size) || size < 3000) throw new InvalidArgumentError('A whole number, 3000 or more.');
  return size;
}

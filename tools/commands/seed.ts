import { InvalidArgumentError, type Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { UsageError } from '../failure.ts';
import { seed, writeCsv, type Summary } from '../seed/index.ts';
import { demonstrationLogins } from '../seed/logins.ts';
import { sizesOf, type SeedOptions } from '../seed/sizes.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say, showProgress, type Progress } from '../terminal.ts';

interface Flags extends SeedOptions {
  csv?: string;
  erase?: boolean;
  logins: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('seed')
    .description('fill an empty hospital with believable data of any size')
    .option('--patients <number>', 'at least 300 (default: 10000, or one per ten appointments)', wholeNumber)
    .option('--doctors <number>', 'at least 110 (default: 200, or one per 2500 appointments)', wholeNumber)
    .option('--appointments <number>', 'at least 3000 (default: 50000)', wholeNumber)
    .option(
      '--random-seed <number>',
      'the same number, sizes and day give the same rows (default: 1)',
      wholeNumber,
    )
    .option('--as-of <day>', 'the day that is today, like 2026-03-09: the past ends there (default: today)')
    .option('--csv <dir>', 'write CSV files, one per table, and touch no database')
    .option('--erase', 'first delete what is there: patients, appointments, staff, accounts')
    .option('--no-logins', 'do not create the demonstration logins')
    .option('--json', '{"sizes": {…}, "rows": {"patients": …, …}}')
    .action(async (flags: Flags) => {
      const started = performance.now();
      const summary = await work(readSettings(), flags);
      if (flags.json) return print(JSON.stringify(summary));
      print(drawTable(['table', 'rows'], Object.entries(summary.rows)));
      say(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
      if (flags.csv) return say(`The files are in ${flags.csv}.`);
      if (flags.logins) {
        const { email, password } = demonstrationLogins().doctor;
        say(`Log in as ${email}, or any other role, with the password ${password}.`);
      }
    });
}

/** Seeds the database, or writes the files. */
export async function work(settings: Settings, flags: Flags): Promise<Summary> {
  if (flags.csv && flags.erase)
    throw new UsageError('--csv touches no database, so there is nothing to --erase.');
  if (flags.logins && !flags.csv && settings.environment === 'production') {
    throw new UsageError(
      'In production there are no demonstration logins: their password is public.',
      'Seed with --no-logins, and create the first administrator: infirmary administrator create --email <address>',
    );
  }
  const sizes = sizesOf(flags);
  for (const name of ['patients', 'doctors', 'appointments'] as const) {
    if ((flags[name] ?? sizes[name]) < sizes[name]) say(`The smallest hospital has ${sizes[name]} ${name}.`);
  }
  const server = flags.csv ? undefined : await acquireServer(settings);
  // Begun by the first rows, so that a refusal is the only thing said.
  let progress: Progress | undefined;
  const total = sizes.patients + sizes.appointments;
  const advance = (count: number): void =>
    (progress ??= showProgress('Patients and appointments', total)).advance(count);
  const options = { ...sizes, advance };
  try {
    if (!server) return await writeCsv(flags.csv as string, options);
    const { erase = false, logins } = flags;
    return await seed(server.url('hospital_owner'), { ...options, erase, logins });
  } finally {
    progress?.end();
    await server?.release();
  }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

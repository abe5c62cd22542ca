import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Argument, type Command, Option } from 'commander';
import type { Pool } from 'pg';
import { claimsOf } from '../api/claims.ts';
import { makePool } from '../api/pool.ts';
import { asCaller } from '../api/transaction.ts';
import { acquireServer } from '../cluster/server.ts';
import { Failure, UsageError } from '../failure.ts';
import { NOT_YET, REPORTS, type ReportKind } from '../reports/catalogue.ts';
import { beginCsv, MOST_PRINTED_ROWS, readPdf, TooLong } from '../reports/make.ts';
import { ONE_MOMENT, type ReportQuestion } from '../reports/read.ts';
import { readSettings, type Settings } from '../settings.ts';
import { say } from '../terminal.ts';

/** Whose report it is: the file holds what this person may see, and nothing else. */
interface Reader {
  email: string;
  password: string;
  role?: string;
  /** Why an auditor opens the audit. */
  reason?: string;
}

type Flags = { as: string; role?: string; reason?: string; from: string; to: string; department?: string; format?: 'csv' | 'pdf'; out: string };

export function register(program: Command): void {
  program
    .command('report')
    .description('write a report of what somebody may see, as CSV or PDF')
    .addArgument(new Argument('<name>', REPORTS.map(({ name }) => name).join(', ')))
    .requiredOption('--as <email>', 'who asks: the report is under the row security of that account')
    .requiredOption('--from <day>', 'the first day, as 2026-10-01')
    .requiredOption('--to <day>', 'the last day, included')
    .requiredOption('--out <file>', 'the file to write')
    .addOption(new Option('--format <format>', 'else that of the file’s name').choices(['csv', 'pdf']))
    .option('--department <id>', 'of one department')
    .option('--role <role>', 'of the roles of the account, the one to ask in')
    .option('--reason <text>', 'why an auditor opens the audit')
    .addHelpText(
      'after',
      '\nThe password is read from INFIRMARY_PASSWORD, else from standard input. There is no report as the owner of\n' +
        'the database: he has no row security. What each report holds: docs/reports.md',
    )
    .action(async (name: string, flags: Flags) => {
      const kind = kindOf(name);
      const format = flags.format ?? formatOf(flags.out);
      const question = { from: dayOf(flags.from), to: dayOf(flags.to), department: keyOf(flags.department) };
      const reader = { email: flags.as, password: await readPassword(), role: flags.role, reason: flags.reason };
      await work(readSettings(), kind, question, reader, format, flags.out);
      say(`${kind.title} as ${flags.as} may see them are in ${flags.out}.`);
    });
}

/**
 * Logs in as the reader, writes his report, and logs out.
 * @throws Failure when he may not log in
 */
export async function work(
  settings: Settings,
  kind: ReportKind,
  question: ReportQuestion,
  reader: Reader,
  format: 'csv' | 'pdf',
  file: string,
): Promise<void> {
  const server = await acquireServer(settings);
  const pool = makePool({ databaseUrl: server.url('hospital_authenticator'), poolSize: 1 });
  try {
    const claims = await logIn(pool, reader);
    try {
      if (reader.reason !== undefined) {
        await asCaller(pool, claims, (client) => client.query('select hospital.open_audit($1)', [reader.reason]));
      }
      await writeReport(pool, claims, kind, question, format, file);
    } finally {
      await asCaller(pool, claims, (client) => client.query('select hospital.log_out()')).catch(() => {});
    }
  } finally {
    await pool.end();
    await server.release();
  }
}

async function logIn(pool: Pool, { email, password, role = undefined }: Reader): Promise<Record<string, string>> {
  const request = { id: 'infirmary-report', address: '' };
  const { rows } = await asCaller(pool, claimsOf(undefined, request), (client) =>
    client.query('select * from hospital.log_in($1, $2, $3)', [email, password, role]),
  );
  const grant = rows[0];
  if (grant?.outcome !== 'granted') {
    throw new Failure(`${email} and this password do not open an account.`, 'Set INFIRMARY_PASSWORD, or name another --role.');
  }
  return claimsOf({ sessionId: grant.session_id, sessionSecret: grant.session_secret, role: grant.role }, request);
}

/** Beside its place first: what fails in the middle leaves no file that looks whole. */
async function writeReport(
  pool: Pool,
  claims: Record<string, string>,
  kind: ReportKind,
  question: ReportQuestion,
  format: 'csv' | 'pdf',
  file: string,
): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const open = () => createWriteStream(unfinished, { mode: 0o600 });
  try {
    if (format === 'csv') {
      await asCaller(pool, claims, async (client) => pipeline(await beginCsv(client, kind, question), open()), ONE_MOMENT);
    } else {
      const render = await asCaller(pool, claims, (client) => readPdf(client, kind, question), ONE_MOMENT);
      await pipeline(Readable.from([await render()]), open());
    }
    await rename(unfinished, file);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw new Failure(`More than ${MOST_PRINTED_ROWS} rows are not printed.`, 'Ask for fewer days, one --department, or --format csv.');
  } finally {
    await rm(unfinished, { force: true });
  }
}

function kindOf(name: string): ReportKind {
  const kind = REPORTS.find((report) => report.name === name);
  if (kind) return kind;
  const names = `Reports are: ${REPORTS.map((report) => report.name).join(', ')}.`;
  throw new UsageError(NOT_YET[name] ?? `There is no report named ${name}.`, names);
}

function formatOf(file: string): 'csv' | 'pdf' {
  const format = path.extname(file).slice(1).toLowerCase();
  if (format === 'csv' || format === 'pdf') return format;
  throw new UsageError(`The name ${file} does not tell the format.`, 'Add --format csv or --format pdf.');
}

function dayOf(day: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(day)) return day;
  throw new UsageError(`${day} is no day.`, 'Write a day as 2026-10-01.');
}

function keyOf(department: string | undefined): string | null {
  if (department === undefined || /^\d{1,18}$/.test(department)) return department ?? null;
  throw new UsageError(`${department} is no key of a department.`, 'The keys: infirmary db sql "select id, name from hospital.departments"');
}

/** On the command line everybody could see it with `ps`. */
async function readPassword(): Promise<string> {
  const given = process.env.INFIRMARY_PASSWORD ?? (process.stdin.isTTY ? '' : (await text(process.stdin)).replace(/\r?\n$/, ''));
  if (given !== '') return given;
  throw new UsageError('The password is missing.', 'Set INFIRMARY_PASSWORD, or pipe it in.');
}

import type { Command } from 'commander';
import { prepareHospital } from '../cluster/prepare.ts';
import { acquireServer } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { describe, Failure } from '../failure.ts';
import type { Login } from '../seed/logins.ts';
import { readSettings, type Settings } from '../settings.ts';
import { requestStop, stopOnSignals, whenParentEnds } from '../shutdown.ts';
import { drawTable, print, say, showProgress } from '../terminal.ts';
import { work as startApi } from './serve.ts';
import { work as startWorker } from './work.ts';

/** An open hospital: where it is, and who may enter. */
export interface Open {
  /** The address of the GraphQL endpoint. */
  graphql: string;
  /** The database, as its owner. */
  database: string;
  /** One demonstration login per account role; none where the data are not demonstration data. */
  logins: Record<string, Login>;
}

export function register(program: Command): void {
  program
    .command('start')
    .description('open the whole hospital: server, roles, migrations, data, API and worker')
    .option('--empty', 'without demonstration data')
    .option('--json', 'one line when everything is ready: {"graphql", "database", "logins"}')
    .action(async ({ empty, json }: { empty?: boolean; json?: boolean }) => {
      const report = (error: unknown): void => say(describe(error));
      stopOnSignals(report, 0);
      whenParentEnds(() => requestStop(report, 0));
      const open = await work(readSettings(), empty ?? false);
      print(json ? JSON.stringify(open) : welcome(open));
      // Until a signal, or the end of the parent, stops everything and exits.
      await new Promise(() => {});
    });
}

/** Opens the hospital. `shutDown` closes it: the API, the worker, then the server. */
export async function work(settings: Settings, empty: boolean): Promise<Open> {
  const server = await acquireServer(settings);
  say(
    server.embedded
      ? `PostgreSQL ${server.version} runs.`
      : `Using PostgreSQL ${server.version} of DATABASE_URL.`,
  );
  await prepareHospital(server, settings.database);
  const database = server.url('hospital_owner');
  if (!empty) await furnish(settings, database);
  const logins = await loginsOf(database);
  if (settings.environment === 'production' && Object.keys(logins).length > 0) {
    throw new Failure(
      'This database has demonstration accounts, whose password everybody knows.',
      'Open a database of its own for production, or empty this one: infirmary db reset --erase',
    );
  }
  await startWorker(settings);
  const { url: graphql } = await startApi(settings);
  return { graphql, database, logins };
}

/** Fills an empty database with demonstration data. In production, data are what people enter. */
async function furnish(settings: Settings, database: string): Promise<void> {
  await withClient(database, async (client) => {
    // Two commands at once: the second waits, and finds the data there.
    await ask(client, `select pg_advisory_lock(hashtext('infirmary.furnish'), 0)`);
    const { rows } = await ask(client, 'select from hospital.patients limit 1');
    if (rows.length > 0) return;
    if (settings.environment === 'production') return say('The hospital is empty, as befits production.');
    await fill(database);
  });
}

/** All of it in one transaction: when this is interrupted, the next start finds the hospital still empty. */
async function fill(database: string): Promise<void> {
  const { seed } = await import('../seed/index.ts');
  const { sizesOf } = await import('../seed/sizes.ts');
  const { patients, appointments } = sizesOf({});
  const progress = showProgress('Filling the hospital', patients + appointments);
  try {
    await seed(database, { advance: progress.advance });
  } finally {
    progress.end();
  }
}

/** Those of the demonstration logins that this database has. */
async function loginsOf(database: string): Promise<Record<string, Login>> {
  const { demonstrationLogins } = await import('../seed/logins.ts');
  const known = Object.entries<Login>(demonstrationLogins());
  const { rows } = await withClient(database, (client) =>
    ask(client, 'select email from hospital_private.accounts where email = any ($1::text[])', [
      known.map(([, { email }]) => email),
    ]),
  );
  const present = new Set(rows.flat());
  return Object.fromEntries(known.filter(([, { email }]) => present.has(email)));
}

function welcome({ graphql, logins }: Open): string {
  const rows = Object.entries(logins).map(([role, { email, password }]) => [role, email, password]);
  return [
    '',
    'The hospital is open.',
    '',
    `  GraphQL   ${graphql}`,
    `  Try it    ${new URL('/ruru', graphql).href}`,
    '  SQL       npx infirmary db sql "select …"',
    '',
    ...(rows.length > 0
      ? ['Log in as:', '', drawTable(['role', 'email', 'password'], rows)]
      : [
          'There are no demonstration logins. Create an administrator: npx infirmary administrator create --email <address>',
        ]),
    '',
    'Ctrl-C stops everything.',
  ].join('\n');
}

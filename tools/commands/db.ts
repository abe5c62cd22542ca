import type { Command } from 'commander';
import { startToStay, statusOf, stopStaying } from '../cluster/embedded.ts';
import { acquireServer } from '../cluster/server.ts';
import { prepareHospital } from '../cluster/prepare.ts';
import { type Answer, asObjects, ask, withClient } from '../database.ts';
import { Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say } from '../terminal.ts';

type Json = { json?: boolean };

export function register(program: Command): void {
  const db = program.command('db').description('the database server: start, stop, look, ask, begin anew');
  db.command('start')
    .description('start the private cluster and let it run')
    .action(async () => say(await start(readSettings())));
  db.command('stop')
    .description('stop the private cluster')
    .action(async () => say(await stop(readSettings())));
  db.command('status')
    .description('say whether the server runs, where and for whom')
    .option('--json', 'one JSON object')
    .action(async ({ json }: Json) => {
      const known = await status(readSettings());
      print(json ? JSON.stringify(known) : drawTable(['what', 'value'], Object.entries(known)));
    });
  db.command('url')
    .description("print the URL of the hospital's database, as its owner, password included")
    .action(async () => print(await url(readSettings())));
  db.command('sql')
    .description('run SQL as the owner of the database and print the rows')
    .argument('<query>', 'one or more statements; the last one’s rows are printed')
    .option('--json', '{"rows": […]}')
    .action(async (query: string, { json }: Json) => {
      const answer = await sql(readSettings(), query);
      print(json ? JSON.stringify({ rows: asObjects(answer) }) : draw(answer));
    });
  db.command('reset')
    .description('drop the database with everything in it and create it anew, migrated and empty')
    .option('--erase', 'yes, erase all data')
    .action(async ({ erase }: { erase?: boolean }) => {
      say(await reset(readSettings(), erase ?? false));
    });
}

/** Starts the private cluster, to run until `stop`. Returns what to tell. */
export async function start(settings: Settings): Promise<string> {
  refuseExternal(settings, 'started');
  return `PostgreSQL runs on 127.0.0.1:${await startToStay(settings)}. Stop it with: infirmary db stop`;
}

/** Stops the private cluster, unless somebody uses it. Returns what to tell. */
export async function stop(settings: Settings): Promise<string> {
  refuseExternal(settings, 'stopped');
  return (await stopStaying(settings)) ? 'PostgreSQL is stopped.' : 'PostgreSQL was not running.';
}

function refuseExternal(settings: Settings, done: string): void {
  if (!settings.databaseUrl) return;
  throw new Failure(
    `The server that DATABASE_URL names is not ours to be ${done}.`,
    'Unset DATABASE_URL to speak of the private cluster.',
  );
}

/** What is known of the server, without starting it. */
export async function status(settings: Settings): Promise<object> {
  if (!settings.databaseUrl) return statusOf(settings);
  const server = await acquireServer(settings);
  const { hostname, port } = new URL(settings.databaseUrl);
  return {
    running: true,
    embedded: false,
    version: server.version,
    host: hostname,
    port: Number(port) || 5432,
  };
}

/** The owner's URL of a server that runs. */
export async function url(settings: Settings): Promise<string> {
  if (!settings.databaseUrl && !statusOf(settings).running) {
    throw new Failure(
      'The server does not run, so there is nothing to connect to.',
      'Start it: infirmary db start',
    );
  }
  const server = await acquireServer(settings);
  try {
    return server.url('hospital_owner');
  } finally {
    await server.release();
  }
}

/** Runs SQL as the owner. */
export async function sql(settings: Settings, query: string): Promise<Answer> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_owner'), (client) => ask(client, query));
  } finally {
    await server.release();
  }
}

/** Drops the hospital's database and creates it anew, migrated and empty. Returns what to tell. */
export async function reset(settings: Settings, erase: boolean): Promise<string> {
  if (!erase) {
    throw new UsageError(
      'This erases everything in the database.',
      'If that is meant: infirmary db reset --erase',
    );
  }
  const server = await acquireServer(settings);
  try {
    if (!server.managesRoles) {
      throw new Failure(
        'This role may not drop and create databases.',
        'Give a superuser in DATABASE_ADMIN_URL.',
      );
    }
    await withClient(server.url('postgres', 'postgres'), (client) =>
      client.query(`drop database if exists ${client.escapeIdentifier(settings.database)} with (force)`),
    );
    await prepareHospital(server, settings.database);
    return `The database "${settings.database}" is new, migrated and empty. Fill it: infirmary seed`;
  } finally {
    await server.release();
  }
}

function draw({ columns, rows, command, count }: Answer): string {
  return columns.length > 0 ? drawTable(columns, rows) : `${command} ${count}`;
}

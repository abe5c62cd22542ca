import { createHash } from 'node:crypto';
import path from 'node:path';
import { Client } from 'pg';
import { passwordsOf, acquireServer, type LoginRole, type Server } from '../cluster/server.ts';
import { withClient } from '../database.ts';
import { Failure } from '../failure.ts';
import { applySources } from '../migrate/apply.ts';
import { prepareDatabase } from '../migrate/database.ts';
import { applyRoles } from '../migrate/roles.ts';
import { migrate } from '../migrate/run.ts';
import { readChange } from '../migrate/stage.ts';
import { seed } from '../seed/index.ts';
import { sizesOf } from '../seed/sizes.ts';
import { projectFolder, readSettings, type Settings } from '../settings.ts';
import { say, showProgress } from '../terminal.ts';
import { installWorker } from '../worker/install.ts';

/** Fills a migrated, empty database with so many appointments, and people in proportion. */
export type Seeding = (ownerUrl: string, appointments: number) => Promise<unknown>;

/** A seeded database on a server of the bench's own. */
export interface BenchDatabase {
  settings: Settings;
  /** How many appointments were seeded. */
  appointments: number;
  url(role: LoginRole, database?: string): string;
  /** Seeds another database on the same server, unless it is there already, and returns its name. */
  build(appointments: number): Promise<string>;
  /** Lets others measure again, and the server go. */
  release(): Promise<void>;
}

/**
 * The settings of the bench's own cluster, in the folder `bench` of the home folder. DATABASE_URL is not
 * read: measuring would disturb a server that people use. PG_BIN_DIR measures another PostgreSQL.
 */
export function benchSettings(settings: Settings): Settings {
  const { pgBinDir, home } = settings;
  const suffix = pgBinDir ? `-${createHash('sha256').update(pgBinDir).digest('hex').slice(0, 8)}` : '';
  return readSettings({
    INFIRMARY_HOME: path.join(home, `bench${suffix}`),
    ...(pgBinDir && { PG_BIN_DIR: pgBinDir }),
  });
}

/** What the database of so many appointments is called. */
export function databaseName(appointments: number): string {
  return `bench_${appointments}`;
}

/**
 * Opens the database of so many appointments, seeding it unless an earlier run left it with the same migrations.
 * @param options.durable false only where figures do not matter: in tests of the bench itself
 * @throws Failure when another bench is measuring there
 */
export async function openDatabase(
  settings: Settings,
  appointments: number,
  options: { durable?: boolean; seed?: Seeding } = {},
): Promise<BenchDatabase> {
  const own = benchSettings(settings);
  const server = await acquireServer(own, { durable: options.durable ?? true });
  const name = databaseName(appointments);
  let release = server.release;
  try {
    release = await lockOut(server);
    const seedTo = async (size: number): Promise<string> => {
      const mark = `infirmary bench ${await fingerprint(size)}`;
      const other = databaseName(size);
      if ((await markOf(server, other)) !== mark) await build(server, other, size, mark, options.seed ?? seedAsUsual);
      return other;
    };
    await seedTo(appointments);
    return {
      settings: own,
      appointments,
      url: (role, database = name) => server.url(role, database),
      build: seedTo,
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Two benches at once would measure each other. */
async function lockOut(server: Server): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: server.url('postgres') });
  client.on('error', () => {});
  await client.connect();
  const release = async (): Promise<void> => {
    await client.end();
    await server.release();
  };
  const { rows } = await client.query('select pg_try_advisory_lock(7261936421) as ours');
  if (rows[0].ours) return release;
  await client.end();
  throw new Failure('Another bench is measuring here.', 'Wait for it to end: two at once would measure each other.');
}

async function build(server: Server, name: string, appointments: number, mark: string, fill: Seeding): Promise<void> {
  say(`Preparing ${name}.`);
  await applyRoles(server.url('postgres'), passwordsOf(server));
  await asAdministrator(server, (client) => client.query(`drop database if exists ${name} with (force)`));
  await prepareDatabase(server, name);
  const ownerUrl = server.url('hospital_owner', name);
  const { current, changed } = await readChange(projectFolder);
  await migrate(ownerUrl);
  await applySources(ownerUrl, [...current, ...changed]);
  await installWorker(ownerUrl, server.url('hospital_worker', name));
  await fill(ownerUrl, appointments);
  // Otherwise autovacuum would do it in the middle of a measurement.
  await withClient(server.url('postgres', name), (client) => client.query('vacuum (analyze)'));
  await asAdministrator(server, async (client) => {
    await client.query('checkpoint');
    // Last, so that a database half built is never taken for a whole one.
    await client.query(`comment on database ${name} is '${mark}'`);
  });
}

/** The size and everything that decides on the schema, signed or not yet. */
async function fingerprint(appointments: number): Promise<string> {
  const { history, current, changed } = await readChange(projectFolder);
  const parts = [appointments, history.migrations.map(({ hash }) => hash), current, changed];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

async function markOf(server: Server, name: string): Promise<string | undefined> {
  const sql = `select shobj_description(oid, 'pg_database') as mark from pg_database where datname = $1`;
  const { rows } = await asAdministrator(server, (client) => client.query<{ mark: string }>(sql, [name]));
  return rows[0]?.mark;
}

function asAdministrator<T>(server: Server, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(server.url('postgres'), work);
}

async function seedAsUsual(ownerUrl: string, appointments: number): Promise<void> {
  const options = { appointments, randomSeed: 1, logins: false };
  const sizes = sizesOf(options);
  const progress = showProgress('Seeding', sizes.patients + sizes.appointments);
  try {
    await seed(ownerUrl, { ...options, advance: progress.advance });
  } finally {
    progress.end();
  }
}

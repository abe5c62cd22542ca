import { after } from 'node:test';
import { Client } from 'pg';
import type { LoginRole, Server } from '../../tools/cluster/server.ts';
import { codeOf } from '../../tools/failure.ts';
import { acquireTestServer } from './server.ts';
import { ensureTemplate } from './template.ts';

/** A database of one test file's own. */
export interface TestDatabase {
  name: string;
  url(role: LoginRole): string;
  /** Drops it, also while connections are open. What is not dropped is dropped when the file ends. */
  drop(): Promise<void>;
}

let opened: Promise<{ server: Server; admin: Client }> | undefined;
let count = 0;
const alive = new Map<string, TestDatabase>();

// Registered when the file is imported, so that it belongs to the file and not to one of its tests.
after(async () => {
  if (!opened) return;
  const { server, admin } = await opened;
  for (const database of [...alive.values()]) await database.drop();
  await admin.end();
  await server.release();
});

/** The tests' cluster, released when the test file ends. */
export async function testServer(): Promise<Server> {
  return (await open()).server;
}

/**
 * Clones the template into a database that only the caller knows: migrated, with pgTAP and the tests'
 * helpers, and a small seeded hospital when asked for.
 */
export async function cloneDatabase(options: { seeded?: boolean } = {}): Promise<TestDatabase> {
  const { server, admin } = await open();
  const template = await ensureTemplate(server, options.seeded ? 'seeded' : 'migrated');
  return create(server, admin, `template ${template} owner hospital_owner`);
}

/** An empty database owned by hospital_owner: for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const { server, admin } = await open();
  return create(server, admin, `template template0 owner hospital_owner`);
}

function open(): Promise<{ server: Server; admin: Client }> {
  opened ??= (async () => {
    const server = await acquireTestServer();
    const admin = new Client({ connectionString: server.url('postgres') });
    await admin.connect();
    return { server, admin };
  })();
  return opened;
}

async function create(server: Server, admin: Client, clause: string): Promise<TestDatabase> {
  const name = `test_${process.pid}_${++count}`;
  for (;;) {
    try {
      await admin.query(`create database ${name} ${clause}`);
      break;
    } catch (error) {
      // 55006: somebody (autovacuum, another clone) is looking at the template at this moment.
      if (codeOf(error) !== '55006') throw error;
    }
  }
  // A clone has a new database's rights, not its template's: closed again, as prepareDatabase does.
  await admin.query(
    `revoke all on database ${name} from public;
     grant connect on database ${name}
     to hospital_authenticator, hospital_worker, hospital_backup, hospital_monitor`,
  );
  const database: TestDatabase = {
    name,
    url: (role) => server.url(role, name),
    drop: async () => {
      alive.delete(name);
      await admin.query(`drop database if exists ${name} with (force)`);
    },
  };
  alive.set(name, database);
  return database;
}

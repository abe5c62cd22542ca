import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { acquireServer, passwordsOf } from '../tools/cluster/server.ts';
import { withClient } from '../tools/database.ts';
import { applySources } from '../tools/migrate/apply.ts';
import { prepareDatabase } from '../tools/migrate/database.ts';
import { applyRoles } from '../tools/migrate/roles.ts';
import { migrate } from '../tools/migrate/run.ts';
import { readChange } from '../tools/migrate/stage.ts';
import { projectFolder, readSettings } from '../tools/settings.ts';
import { installWorker } from '../tools/worker/install.ts';

/*
 * node .ci/with-database.ts <name> <command> [<argument> …]
 *
 * Runs a command with CHECK_DATABASE_URL: a new database with this working tree's schema, on a throw-away
 * cluster (PG_BIN_DIR picks the binaries). URLs are a superuser's and, in CHECK_OWNER_URL, the owner's.
 */

const [name, command, ...args] = process.argv.slice(2);
if (!name || !command) throw new Error('usage: node .ci/with-database.ts <name> <command> [<argument> …]');

const binaries = process.env.PG_BIN_DIR;
const settings = readSettings({
  INFIRMARY_HOME: path.join(projectFolder, '.infirmary', binaries ? 'ci-system' : 'ci'),
  ...(binaries && { PG_BIN_DIR: binaries }),
});
const server = await acquireServer(settings, { durable: false });
const database = `check_${name}`;
try {
  const drop = (): Promise<unknown> =>
    withClient(server.url('postgres', 'postgres'), (client) =>
      client.query(`drop database if exists ${database} with (force)`),
    );
  await applyRoles(server.url('postgres'), passwordsOf(server));
  await drop();
  await prepareDatabase(server, database);
  const ownerUrl = server.url('hospital_owner', database);
  const { current, changed } = await readChange(projectFolder);
  await migrate(ownerUrl);
  await applySources(ownerUrl, [...current, ...changed]);
  await installWorker(ownerUrl, server.url('hospital_worker', database));
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      CHECK_DATABASE_URL: server.url('postgres', database),
      CHECK_OWNER_URL: ownerUrl,
    },
  });
  if (error) throw error;
  await drop();
  process.exitCode = status ?? 1;
} finally {
  await server.release();
}

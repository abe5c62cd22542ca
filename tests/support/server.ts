import { createHash } from 'node:crypto';
import path from 'node:path';
import { acquireServer, type Server } from '../../tools/cluster/server.ts';
import { projectFolder, readSettings, type Settings } from '../../tools/settings.ts';

/**
 * The settings of the tests' own throw-away cluster. DATABASE_URL is not read: the tests never touch a
 * server that holds anything. PG_BIN_DIR tries another PostgreSQL, in a home of its own.
 */
export function testSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const binaries = env.PG_BIN_DIR;
  const suffix = binaries ? `-${createHash('sha256').update(binaries).digest('hex').slice(0, 8)}` : '';
  return readSettings({
    INFIRMARY_HOME: path.join(projectFolder, '.infirmary', `test${suffix}`),
    ...(binaries && { PG_BIN_DIR: binaries }),
  });
}

/** Starts or joins the tests' cluster, without fsync. Release it at the end. */
export function acquireTestServer(): Promise<Server> {
  return acquireServer(testSettings(), { durable: false });
}

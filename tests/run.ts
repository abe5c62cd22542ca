import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { readSecrets } from '../tools/cluster/secrets.ts';
import type { Server } from '../tools/cluster/server.ts';
import { describe } from '../tools/failure.ts';
import { applyRoles } from '../tools/migrate/roles.ts';
import { projectFolder } from '../tools/settings.ts';
import { onShutdown, shutDown, stopOnSignals } from '../tools/shutdown.ts';
import { acquireTestServer, testSettings } from './support/server.ts';
import { ensureTemplate } from './support/template.ts';

/*
 * npm test [-- <part of a path> …]: starts the tests' own cluster, brings its template up to date, and
 * runs the test files, two at a time. `npm test -- policies/doctor` runs what has that in its path.
 * What needs programs of Debian's packages, in tests/packages, runs only when it is named; .ci/run installs them.
 */

const packages = path.join('tests', 'packages', path.sep);

const report = (error: unknown): void => console.error(describe(error, true));

async function main(patterns: string[]): Promise<number> {
  const all = globSync('tests/**/*.test.ts', { cwd: projectFolder });
  const topics = globSync('tests/{sql,policies}/**/*.sql', { cwd: projectFolder });
  const wanted = (file: string): boolean =>
    patterns.length === 0
      ? !file.startsWith(packages)
      : patterns.some((pattern) => file.includes(pattern) && (pattern.includes('packages/') || !file.startsWith(packages)));
  const pgtap = path.join('tests', 'pgtap.test.ts');
  const files = all.filter((file) => wanted(file) || (file === pgtap && topics.some(wanted))).sort();
  if (files.length === 0) {
    console.error(
      `No test file has ${patterns.map((pattern) => `"${pattern}"`).join(' or ')} in its path.`,
    );
    return 2;
  }
  const server = await acquireTestServer();
  await applyRoles(server.url('postgres'), readSecrets(testSettings()).passwords);
  await sweep(server);
  const template = await ensureTemplate(server, 'migrated');
  return runNode(files, {
    INFIRMARY_TEMPLATE_MIGRATED: template,
    INFIRMARY_TEST_PATTERNS: JSON.stringify(files.includes(pgtap) && !wanted(pgtap) ? patterns : []),
  });
}

/** Drops the databases of test processes that were killed. */
async function sweep(server: Server): Promise<void> {
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string }>(
      `select datname as name from pg_database where datname ~ '^test_[0-9]+_[0-9]+$'`,
    );
    for (const { name } of rows) {
      if (isAlive(Number(name.split('_')[1]))) continue;
      // A subscriber's slot would keep its database.
      await admin.query(
        `select pg_terminate_backend(active_pid, 10000) from pg_replication_slots where database = $1 and active`,
        [name],
      );
      await admin.query(
        `select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1`,
        [name],
      );
      await admin.query(`drop database if exists ${name} with (force)`);
    }
  } finally {
    await admin.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** node's own runner; its summary is the last thing printed. */
function runNode(files: string[], variables: Record<string, string>): Promise<number> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...variables,
    // PostGraphile and the worker ask for it when they are loaded.
    GRAPHILE_ENV: 'development',
    INFIRMARY_HOME: testSettings().home,
  };
  const ours = /^(DATABASE_URL|DATABASE_ADMIN_URL|AUTHENTICATOR_URL|SUBSCRIPTIONS_URL|WORKER_URL|PORT|BACKUP_.*)$/;
  for (const name of Object.keys(env).filter((each) => ours.test(each))) delete env[name];
  const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...files], {
    cwd: projectFolder,
    env,
    stdio: 'inherit',
  });
  onShutdown(async () => void child.kill());
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

stopOnSignals(report);
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  report(error);
  process.exitCode = 1;
} finally {
  await shutDown(report);
}

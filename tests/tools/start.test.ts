import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf } from '../../tools/cluster/embedded.ts';
import { projectFolder } from '../../tools/settings.ts';
import { acquireServer, makeSettings, valueOf } from '../support/cluster.ts';

test('start --json says in one line where everything is, and SIGTERM leaves nothing running', async (t) => {
  const settings = makeSettings(t);
  // Held by us too, it runs without fsync.
  const server = await acquireServer(settings);
  const command = path.join(projectFolder, 'tools/infirmary.mjs');
  const child = spawn(process.execPath, [command, 'start', '--empty', '--json'], {
    env: { PATH: process.env.PATH, PG_BIN_DIR: process.env.PG_BIN_DIR, INFIRMARY_HOME: settings.home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  while (!printed.endsWith('\n') && child.exitCode === null) await sleep(50);

  assert.equal(printed.split('\n').length, 2, told);
  const { graphql, database, logins } = JSON.parse(printed) as {
    graphql: string;
    database: string;
    logins: object;
  };
  assert.deepEqual(logins, {});
  assert.equal(await valueOf(database, 'select current_user::text'), 'hospital_owner');
  const response = await fetch(graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  assert.deepEqual(await response.json(), { data: { __typename: 'Query' } });

  await server.release();
  assert.equal(statusOf(settings).running, true);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(statusOf(settings).running, false);
  await assert.rejects(fetch(graphql));
});

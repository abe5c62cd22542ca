import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { openRelay } from '../../tools/relay/relay.ts';
import { emptyDatabase, type TestDatabase, testServer } from '../support/database.ts';
import { valueOf } from '../support/cluster.ts';

/** A relay before a server that nobody answers on and one that is real; `url` leads through it. */
async function openBefore(t: TestContext, database: TestDatabase): Promise<{ url: string; told: string[]; port: number; close(): Promise<void> }> {
  const real = new URL(database.url('hospital_owner'));
  const silent = createServer((socket) => socket.on('error', () => {}).end());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const port = Number(real.port);
  const told: string[] = [];
  const relay = await openRelay({
    nodes: [{ host: '127.0.0.1', port: (silent.address() as AddressInfo).port }, { host: '127.0.0.1', port }],
    url: database.url('hospital_monitor'),
    listen: { host: '127.0.0.1', port: 0 },
    tell: (line) => told.push(line),
  });
  t.after(relay.close);
  real.port = String(relay.port);
  return { url: real.href, told, port, close: relay.close };
}

test('a relay leads to the server that takes writes, and names once what is wrong with another', async (t) => {
  const { url, told, port } = await openBefore(t, await emptyDatabase());
  assert.equal(await valueOf(url, 'select inet_server_port()'), port);
  assert.equal(told.filter((line) => line === `127.0.0.1:${port} takes the writes.`).length, 1);
  assert.equal(told.filter((line) => line.includes('cannot be asked')).length, 1);
});

test('who connects while no server takes writes waits until one does', async (t) => {
  const database = await emptyDatabase();
  const server = await testServer();
  const alter = (what: string): Promise<unknown> => valueOf(server.url('postgres'), `alter database ${database.name} ${what}`);
  await alter('set default_transaction_read_only = on');
  const { url, told } = await openBefore(t, database);
  const client = new Client({ connectionString: url });
  t.after(() => client.end());
  let connected = false;
  const connecting = client.connect().then(() => (connected = true));
  connecting.catch(() => {});
  // Both have been asked.
  while (told.length === 0) await sleep(20);
  assert.deepEqual([connected, told.filter((line) => line.includes('takes the writes'))], [false, []]);
  await alter('reset default_transaction_read_only');
  await connecting;
  assert.ok(connected);
});

test('a relay that is closed ends what passes through it', async (t) => {
  const { url, close } = await openBefore(t, await emptyDatabase());
  const client = new Client({ connectionString: url });
  t.after(() => client.end().catch(() => {}));
  const ended = new Promise<void>((resolve) => client.on('error', () => resolve()).on('end', () => resolve()));
  await client.connect();
  assert.equal((await client.query('select 1 as n')).rows[0].n, 1);
  await close();
  await ended;
});

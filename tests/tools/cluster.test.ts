import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { startToStay, statusOf, stopStaying } from '../../tools/cluster/embedded.ts';
import * as cluster from '../../tools/cluster/server.ts';
import { Failure } from '../../tools/failure.ts';
import { acquireServer, end, holdElsewhere, makeSettings, valueOf } from '../support/cluster.ts';

test('a cluster that does not exist yet is created; two commands at once create one', async (t) => {
  const settings = makeSettings(t);
  const users = await Promise.all([cluster.acquireServer(settings), cluster.acquireServer(settings)]);
  assert.equal(await valueOf(users[0].url('postgres'), 'select 1'), 1);
  assert.deepEqual(readdirSync(settings.home).sort(), [
    'cluster',
    'keys',
    'locks',
    'port',
    'secrets.json',
    'server.log',
    'users',
  ]);
  for (const user of users) await user.release();
});

test('a private cluster is reached over loopback, with the password, and by no other way', async (t) => {
  const settings = makeSettings(t);
  const server = await acquireServer(settings);
  const url = new URL(server.url('postgres'));
  assert.equal(await valueOf(url.href, "select current_setting('listen_addresses')"), '127.0.0.1');
  assert.equal(await valueOf(url.href, "select current_setting('unix_socket_directories')"), '');
  assert.equal(await valueOf(url.href, "select current_setting('data_checksums')"), 'on');
  assert.equal(
    await valueOf(
      url.href,
      "select count(*)::integer from pg_hba_file_rules where auth_method <> 'scram-sha-256'",
    ),
    0,
  );
  url.password = 'wrong';
  await assert.rejects(valueOf(url.href, 'select 1'), Failure);
  await server.release();
  assert.equal(statusOf(settings).running, false);
});

test('sorting does not depend on the machine', async (t) => {
  const server = await acquireServer(makeSettings(t));
  const provider = await valueOf(server.url('postgres'), 'select datlocprovider from pg_database limit 1');
  assert.equal(provider, server.version >= 17 ? 'b' : 'c');
  assert.equal(await valueOf(server.url('postgres'), `select 'Z' < 'a' and 'z' < 'ä'`), true);
  await server.release();
});

test('several users share one server, and it stops with the last of them', async (t) => {
  const settings = makeSettings(t);
  const [one, two] = await Promise.all([acquireServer(settings), acquireServer(settings)]);
  const elsewhere = await holdElsewhere(settings);
  assert.equal(one.url('postgres'), two.url('postgres'));
  await one.release();
  await one.release();
  await two.release();
  assert.deepEqual(statusOf(settings).users, [elsewhere.pid]);
  assert.equal(statusOf(settings).running, true);
  await end(elsewhere, 'SIGTERM');
  assert.equal(statusOf(settings).running, false);
});

test('Ctrl-C reaches the command and not the server, which the command then stops in order', async (t) => {
  const settings = makeSettings(t);
  await end(await holdElsewhere(settings), 'SIGINT');
  assert.equal(statusOf(settings).running, false);
  const log = readFileSync(path.join(settings.home, 'server.log'), 'utf8');
  assert.match(log, /database system is shut down\s*$/);
});

test('a server left behind by a killed command is taken over, and stopped by the next one', async (t) => {
  const settings = makeSettings(t);
  await end(await holdElsewhere(settings), 'SIGKILL');
  const { pid } = statusOf(settings);
  assert.notEqual(pid, null);
  const server = await acquireServer(settings);
  assert.equal(statusOf(settings).pid, pid);
  await server.release();
  assert.equal(statusOf(settings).running, false);
});

test('after kill -9 of the server, what was committed is there again, on the same port', async (t) => {
  const settings = makeSettings(t);
  const before = await cluster.acquireServer(settings);
  await valueOf(before.url('postgres'), 'create table kept as select 42 as answer');
  process.kill(statusOf(settings).pid!, 'SIGKILL');
  const after = await acquireServer(settings);
  assert.equal(after.url('postgres'), before.url('postgres'));
  assert.equal(await valueOf(after.url('postgres'), 'select answer from kept'), 42);
  await after.release();
  await before.release();
});

test('a postmaster.pid that names somebody else’s process is not believed', async (t) => {
  const settings = makeSettings(t);
  await (await acquireServer(settings)).release();
  const file = path.join(settings.home, 'cluster/postmaster.pid');
  writeFileSync(file, `${process.pid}\n${path.join(settings.home, 'cluster')}\n1700000000\n5432\n`);
  assert.equal(statusOf(settings).running, false);
  const server = await acquireServer(settings);
  assert.equal(await valueOf(server.url('postgres'), 'select 1'), 1);
  await server.release();
});

test('when its port is taken, the server moves to another one', async (t) => {
  const settings = makeSettings(t);
  const first = await acquireServer(settings);
  await first.release();
  const { port } = new URL(first.url('postgres'));
  const squatter = createServer().listen(Number(port), '127.0.0.1');
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const second = await acquireServer(settings);
  assert.notEqual(new URL(second.url('postgres')).port, port);
  await second.release();
});

test('db start lets the server stay; db stop refuses while it is in use', async (t) => {
  const settings = makeSettings(t);
  await startToStay(settings);
  const server = await acquireServer(settings);
  await server.release();
  assert.equal(statusOf(settings).kept, true);
  const user = await acquireServer(settings);
  await assert.rejects(stopStaying(settings), Failure);
  await user.release();
  assert.equal(statusOf(settings).running, false);
  assert.equal(await stopStaying(settings), false);
});

test('data of another major version are refused, with a remedy', async (t) => {
  const settings = makeSettings(t);
  mkdirSync(path.join(settings.home, 'cluster'));
  writeFileSync(path.join(settings.home, 'cluster/PG_VERSION'), '9\n');
  await assert.rejects(
    acquireServer(settings),
    (error: unknown) =>
      error instanceof Failure && /PostgreSQL 9/.test(error.message) && /PG_BIN_DIR/.test(error.remedy!),
  );
  assert.deepEqual(statusOf(settings).users, []);
});

test('what a failed statement held does not reach the log', async (t) => {
  const settings = makeSettings(t);
  const server = await acquireServer(settings);
  const url = server.url('postgres');
  await valueOf(url, 'create table people (name text not null, born date not null)');
  await assert.rejects(valueOf(url, `insert into people values ('Ada Lovelace', null)`), /null value/);
  await assert.rejects(valueOf(url, `select 'Ada Lovelace'::date`), /invalid input syntax/);
  await server.release();
  const log = readFileSync(path.join(settings.home, 'server.log'), 'utf8');
  assert.match(log, /database system is shut down/);
  assert.doesNotMatch(log, /Lovelace|insert into/);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { statusOf } from '../../tools/cluster/embedded.ts';
import { readSecrets } from '../../tools/cluster/secrets.ts';
import { passwordsOf } from '../../tools/cluster/server.ts';
import { Failure } from '../../tools/failure.ts';
import { acquireServer, makeSettings, valueOf } from '../support/cluster.ts';

test('a server from DATABASE_URL is used as it is: nothing is started, and it runs on', async (t) => {
  const own = makeSettings(t);
  const embedded = await acquireServer(own);
  const settings = {
    ...makeSettings(t),
    databaseUrl: `${embedded.url('postgres', 'postgres')}?application_name=mine`,
  };
  const server = await acquireServer(settings);
  const { passwords } = readSecrets(settings);
  assert.equal(server.version, embedded.version);
  assert.equal(server.managesRoles, true);
  const owner = new URL(server.url('hospital_owner'));
  assert.equal(owner.pathname, '/hospital');
  assert.equal(owner.search, '?application_name=mine');
  assert.deepEqual([owner.username, owner.password], ['hospital_owner', passwords.hospital_owner]);
  assert.equal(passwordsOf(server).hospital_worker, passwords.hospital_worker);
  await server.release();
  assert.equal(statusOf(settings).created, false);
  assert.equal(statusOf(own).running, true);
  await embedded.release();
});

test('a URL of a plain role is the owner’s own, and the API’s own URL is respected', async (t) => {
  const embedded = await acquireServer(makeSettings(t));
  await valueOf(embedded.url('postgres'), `create role plain login password 'p'`);
  const base = new URL(embedded.url('postgres'));
  const databaseUrl = `postgres://plain:p@${base.host}/postgres`;
  const authenticatorUrl = `postgres://api:q@${base.host}/clinic`;
  const server = await acquireServer({
    ...makeSettings(t),
    databaseUrl,
    authenticatorUrl,
    database: 'clinic',
  });
  assert.equal(server.managesRoles, false);
  assert.equal(server.url('hospital_owner'), `postgres://plain:p@${base.host}/clinic`);
  assert.equal(server.url('hospital_authenticator'), authenticatorUrl);
  await embedded.release();
});

test('where the server lets nobody set the key of the audit, each connection brings it, beside what the URL asks for', async (t) => {
  const embedded = await acquireServer(makeSettings(t));
  const settings = makeSettings(t);
  const key = 'cd'.repeat(32);
  writeFileSync(path.join(settings.home, 'audit.key'), `${key}\n`);
  const server = await acquireServer({
    ...settings,
    databaseUrl: `${embedded.url('postgres', 'postgres')}?options=${encodeURIComponent('-c work_mem=5MB')}`,
    auditKeyFile: path.join(settings.home, 'audit.key'),
    auditKeyByConnection: true,
  });
  const asked = `select concat_ws(' ', current_setting('infirmary.audit_key'), current_setting('work_mem'))`;
  assert.equal(await valueOf(server.url('postgres', 'postgres'), asked), `${key} 5MB`);
  await embedded.release();
});

test('a server that cannot be used is a failure with a remedy, and without the password', async (t) => {
  const settings = { ...makeSettings(t), databaseUrl: 'postgres://somebody:secret@127.0.0.1:1/hospital' };
  await assert.rejects(
    acquireServer(settings),
    (error: unknown) =>
      error instanceof Failure && error.remedy !== undefined && !error.message.includes('secret'),
  );
});

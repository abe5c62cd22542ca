import assert from 'node:assert/strict';
import { test } from 'node:test';
import { provideAuditKey } from '../../tools/cluster/audit-key.ts';
import { withClient } from '../../tools/database.ts';
import { valueOf } from '../support/cluster.ts';
import { emptyDatabase, type TestDatabase } from '../support/database.ts';

const key = 'ab'.repeat(32);

/** A server that is asked for its key at most once. */
function serverOf(database: TestDatabase): Parameters<typeof provideAuditKey>[0] & { asked: number } {
  const server = {
    asked: 0,
    url: () => database.url('postgres'),
    auditKey: () => {
      server.asked += 1;
      return key;
    },
  };
  return server;
}

const setting = (database: TestDatabase): Promise<unknown> =>
  valueOf(database.url('hospital_owner'), `select current_setting('infirmary.audit_key', true)`);

test('a server whose configuration includes the key file is left alone', async () => {
  const database = await emptyDatabase();
  const server = serverOf(database);
  await provideAuditKey(server, database.name);
  assert.equal(server.asked, 0);
  assert.match(String(await setting(database)), /^[0-9a-f]{64}$/);
  assert.notEqual(await setting(database), key);
});

test('a server without it gets the key as a setting of the database, once', async () => {
  const database = await emptyDatabase();
  const server = serverOf(database);
  // The tests' own server has a key for all its databases: this one does without.
  await withClient(database.url('postgres'), (client) =>
    client.query(`alter database ${database.name} set infirmary.audit_key = ''`),
  );
  await provideAuditKey(server, database.name);
  assert.equal(await setting(database), key);
  await provideAuditKey(server, database.name);
  assert.equal(server.asked, 1);
});

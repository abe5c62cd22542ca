import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { auditKeyFile, readAuditKey } from '../../tools/cluster/audit-key.ts';
import { configure } from '../../tools/cluster/configuration.ts';
import { openHome, writeWhole } from '../../tools/cluster/home.ts';
import { withLock } from '../../tools/cluster/lock.ts';
import { readSecrets } from '../../tools/cluster/secrets.ts';
import { Failure } from '../../tools/failure.ts';
import { makeSettings } from '../support/cluster.ts';

test('the secrets are random, the owner’s alone, and the same every time', (t) => {
  const settings = makeSettings(t);
  const secrets = readSecrets(settings);
  assert.deepEqual(readSecrets(settings), secrets);
  assert.equal(statSync(path.join(settings.home, 'secrets.json')).mode & 0o777, 0o600);
  assert.equal(new Set(Object.values(secrets.passwords)).size, 6);
  assert.notDeepEqual(readSecrets(makeSettings(t)), secrets);
});

test('the key of the audit is made once, is the owner’s alone, and lies outside the data', (t) => {
  const settings = makeSettings(t);
  const file = auditKeyFile(settings);
  const key = readAuditKey(settings);
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(readAuditKey(settings), key);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!file.startsWith(openHome(settings.home).data));
  assert.notEqual(readAuditKey(makeSettings(t)), key);
  writeFileSync(file, 'nothing of use');
  assert.throws(() => readAuditKey(settings), Failure);
  assert.equal(readFileSync(file, 'utf8'), 'nothing of use');
  const own = path.join(settings.home, 'own');
  writeFileSync(own, `${'ab'.repeat(32)}\n`);
  assert.equal(readAuditKey({ ...settings, auditKeyFile: own }), 'ab'.repeat(32));
});

test('damaged secrets are refused, and not replaced', (t) => {
  const settings = makeSettings(t);
  const file = path.join(settings.home, 'secrets.json');
  writeFileSync(file, '{"passwords": {}}');
  assert.throws(() => readSecrets(settings), Failure);
  assert.equal(readFileSync(file, 'utf8'), '{"passwords": {}}');
});

test('a lock left by a killed process is taken over by one process at a time', async (t) => {
  const { home } = makeSettings(t);
  const { locks } = openHome(home);
  writeWhole(path.join(locks, '7'), '999999999 1');
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(5);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 10 }, () => withLock(locks, work)));
  assert.equal(most, 1);
  assert.equal(readdirSync(locks).length, 1);
});

test('the configuration follows the machine', () => {
  const gigabyte = 1024 ** 3;
  const machine = { port: 1, preload: [], durable: true, cores: 2, sharedMemory: gigabyte };
  const small = configure({ ...machine, memory: 1 * gigabyte });
  assert.match(small, /^shared_buffers = '256MB'$/m);
  assert.match(small, /^work_mem = '4MB'$/m);
  assert.match(configure({ ...machine, memory: 64 * gigabyte }), /^shared_buffers = '4096MB'$/m);
  assert.match(
    configure({ ...machine, memory: gigabyte, sharedMemory: 64 * 1024 ** 2 }),
    /dynamic_shared_memory_type/,
  );
  assert.doesNotMatch(small, /fsync|dynamic_shared_memory_type|shared_preload_libraries/);
  assert.match(configure({ ...machine, memory: gigabyte, durable: false }), /^fsync = 'off'$/m);
});

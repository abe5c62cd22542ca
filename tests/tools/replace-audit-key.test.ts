import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { auditKeyFile, readAuditKey } from '../../tools/cluster/audit-key.ts';
import { wrapAnew } from '../../tools/cluster/replace-audit-key.ts';
import type { Server } from '../../tools/cluster/server.ts';
import { replaceKey } from '../../tools/commands/audit.ts';
import { UsageError } from '../../tools/failure.ts';
import { makeHospital, query } from '../backup/hospital.ts';
import { acquireServer, makeSettings } from '../support/cluster.ts';

describe('the key of the audit', { concurrency: 1 }, () => {
  let server: Server | undefined;
  // Before the settings' own: what is in use is not stopped.
  after(() => server?.release());
  const settings = makeSettings({ after } as unknown as TestContext);

  before(async () => {
    await makeHospital(settings);
    server = await acquireServer(settings);
    await query(settings, `insert into hospital.patients (given_name, family_name, date_of_birth, sex) values ('Ann', 'Able', '1980-01-01', 'female')`);
    await query(settings, `update hospital.patients set given_name = 'Anna'`);
  });

  const sealed = (): Promise<unknown[][]> =>
    query(
      settings,
      `select audit.open_identity(e.patient_id, e.sealed_identity) ->> 'given_name'
       from audit.entries as e
       where e.sealed_identity is not null and e.table_name = 'hospital.patients'
       order by e.sequence`,
    );

  test('is replaced while the server runs, and what was sealed opens as before', async () => {
    const old = readAuditKey(settings);
    assert.deepEqual(await sealed(), [['Ann']]);
    const [told] = await replaceKey(settings);
    assert.match(told!, /^The keys of 1 persons are wrapped/);
    assert.notEqual(readAuditKey(settings), old);
    assert.deepEqual(await sealed(), [['Ann']]);
    await query(settings, `update hospital.patients set given_name = 'Annabel'`);
    assert.deepEqual(await sealed(), [['Ann'], ['Anna']]);
    const folder = path.dirname(auditKeyFile(settings));
    const kept = readdirSync(folder).filter((file) => file.includes('.until-'));
    assert.equal(kept.length, 1);
    assert.ok(readFileSync(path.join(folder, kept[0]!), 'utf8').includes(old));
  });

  test('is replaced to the end by the next run, when a run died after the database had the new one', async () => {
    const key = 'ab'.repeat(32);
    writeFileSync(`${auditKeyFile(settings)}.next`, `infirmary.audit_key = '${key}'\n`, { mode: 0o600 });
    assert.equal(await wrapAnew(server!, key), '1');
    await assert.rejects(query(settings, `update hospital.patients set given_name = 'Anne'`), { code: 'KEYOT' });
    const [told] = await replaceKey(settings);
    assert.match(told!, /^The keys of 0 persons/);
    assert.equal(readAuditKey(settings), key);
    await query(settings, `update hospital.patients set given_name = 'Anne'`);
    assert.deepEqual(await sealed(), [['Ann'], ['Anna'], ['Annabel']]);
  });

  test('of the private cluster is made by itself, and by nobody else', async () => {
    await assert.rejects(replaceKey(settings, '/nowhere'), UsageError);
  });
});

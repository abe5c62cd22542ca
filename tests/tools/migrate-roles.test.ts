import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { acquireServer, type Server } from '../../tools/cluster/server.ts';
import { withClient } from '../../tools/database.ts';
import { prepareDatabase } from '../../tools/migrate/database.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import { matchesVerifier, scramVerifier } from '../../tools/migrate/scram.ts';
import { testSettings } from '../support/server.ts';

const groups = [
  'hospital_anonymous',
  'hospital_patient',
  'hospital_doctor',
  'hospital_staff',
  'hospital_nurse',
  'hospital_reception',
  'hospital_pharmacist',
  'hospital_laboratory',
  'hospital_billing',
  'hospital_administrator',
  'hospital_analyst',
  'hospital_auditor',
];

/* Roles belong to the whole cluster, so this file has one of its own. */
describe('Roles', { concurrency: 1 }, () => {
  let home: string;
  let server: Server;
  let admin: string;

  before(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'infirmary-roles-'));
    server = await acquireServer({ ...testSettings(), home }, { durable: false });
    admin = server.url('postgres');
  });
  after(async () => {
    await server.release();
    await rm(home, { recursive: true, force: true });
  });

  const query = <Row>(sql: string, url = admin): Promise<Row[]> =>
    withClient(url, async (client) => (await client.query(sql)).rows as Row[]);
  const login = (role: string, password: string): string => {
    const url = new URL(server.url('postgres', 'postgres'));
    url.username = role;
    url.password = password;
    return url.href;
  };

  test('A role with CREATEROLE can apply all but what only a superuser may give, and is told so.', async () => {
    await query(`create role dba login createrole createdb password 'secret'`);
    const report = await applyRoles(login('dba', 'secret'));
    assert.ok(report.changed.includes('created role hospital_doctor'));
    assert.match(report.remaining.join('\n'), /a superuser must run: alter role hospital_backup/);
  });

  test('Twenty callers at once all succeed, and each change is made once.', async () => {
    await query('drop role hospital_nurse');
    const reports = await Promise.all(
      Array.from({ length: 20 }, () => applyRoles(admin, { hospital_owner: 'first password' })),
    );
    const changes = reports.flatMap((report) => report.changed);
    assert.equal(changes.filter((change) => change === 'created role hospital_nurse').length, 1);
    assert.equal(changes.filter((change) => change === 'set the password of hospital_owner').length, 1);
    assert.deepEqual(
      reports.flatMap((report) => report.remaining),
      [],
    );
    assert.deepEqual(await applyRoles(admin, { hospital_owner: 'first password' }), {
      changed: [],
      kept: [],
      remaining: [],
    });
  });

  test('The authenticator may become every group, inherits from none, and owns no way around row security.', async () => {
    await applyRoles(admin, { hospital_authenticator: 'pässword' });
    const url = login('hospital_authenticator', 'pässword');
    for (const group of groups) {
      await query(`set role ${group}`, url);
      const [row] = await query<{ inherits: boolean }>(
        `select pg_has_role('hospital_authenticator', '${group}', 'usage') as inherits`,
      );
      assert.equal(row?.inherits, false, group);
    }
    await assert.rejects(query('set role hospital_owner', url), /permission denied/);
  });

  test('Nurses inherit what all staff share.', async () => {
    const [row] = await query<{ yes: boolean }>(
      `select pg_has_role('hospital_nurse', 'hospital_staff', 'usage') as yes`,
    );
    assert.equal(row?.yes, true);
  });

  test('Only hospital_backup passes row security, and no role of ours is a superuser.', async () => {
    const rows = await query<{ name: string }>(
      `select rolname as name from pg_roles
       where rolname like 'hospital\\_%' and (rolsuper or rolbypassrls or rolreplication or rolcreaterole)`,
    );
    assert.deepEqual(
      rows.map((row) => row.name),
      ['hospital_backup'],
    );
  });

  test('What somebody added is taken away and reported; a DBA’s own setting is kept and reported.', async () => {
    await query(`alter role hospital_authenticator bypassrls;
      grant hospital_owner to hospital_authenticator;
      grant pg_read_all_stats to hospital_worker;
      alter role hospital_worker set lock_timeout = '3s'`);
    const { changed, kept } = await applyRoles(admin);
    assert.deepEqual(changed.sort(), [
      'altered role hospital_authenticator: nobypassrls',
      'revoked hospital_owner from hospital_authenticator',
    ]);
    assert.match(
      kept.join('\n'),
      /hospital_worker is a member of pg_read_all_stats, which is not ours: left alone/,
    );
    assert.match(kept.join('\n'), /lock_timeout of hospital_worker is 3s \(ours would be 30s\): kept/);
  });

  test('Somebody who may not create roles is told whose URL is needed.', async () => {
    await query(`create role nobody login password 'secret'`);
    await query('drop role hospital_nurse');
    await assert.rejects(applyRoles(login('nobody', 'secret')), /"nobody" may not create roles/);
    await applyRoles(admin);
  });

  test('Of five callers that prepare a database at once, one creates it; strangers may not connect to it.', async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => prepareDatabase(server, 'ward "7"')));
    assert.deepEqual(results.sort(), [false, false, false, false, true]);
    const url = new URL(login('nobody', 'secret'));
    url.pathname = encodeURIComponent('ward "7"');
    await assert.rejects(query('select 1', url.href), /permission denied for database/);
    const rows = await query<{ owner: string }>(
      `select datdba::regrole::text as owner from pg_database where datname = 'ward "7"'`,
    );
    assert.equal(rows[0]?.owner, 'hospital_owner');
  });

  test('An administrator who is no superuser, as of a managed server, makes the database the owner’s and keeps no part of it.', async () => {
    await query(`create role managed login createrole createdb password 'secret'`);
    const others = { url: () => login('managed', 'secret') };
    // From 16 on, a role is given away by whoever made it.
    const [{ number }] = (await query<{ number: number }>(`select current_setting('server_version_num')::integer as number`)) as [{ number: number }];
    if (number >= 160000) {
      await assert.rejects(prepareDatabase(others, 'clinic'), /"clinic" does not exist, and this role may not create it/);
      await query('grant hospital_owner to managed with admin true, inherit false, set false');
    }
    const made = await Promise.all(Array.from({ length: 3 }, () => prepareDatabase(others, 'clinic')));
    assert.deepEqual(made.sort(), [false, false, true]);
    const [state] = await query(`
      select datdba::regrole::text as owner, pg_has_role('managed', 'hospital_owner', 'usage') as keeps
      from pg_database where datname = 'clinic'`);
    assert.deepEqual(state, { owner: 'hospital_owner', keeps: false });
    assert.equal(await prepareDatabase(others, 'clinic'), false);
  });
});

test('A verifier matches its own password only, and does not contain it.', () => {
  const verifier = scramVerifier('correct horse');
  assert.match(verifier, /^SCRAM-SHA-256\$4096:/);
  assert.ok(matchesVerifier('correct horse', verifier));
  assert.ok(!matchesVerifier('correct horsf', verifier));
  assert.ok(!matchesVerifier('correct horse', null));
  assert.ok(!verifier.includes('correct'));
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createBackup } from '../../tools/backup/create.ts';
import { keepReceiving } from '../../tools/backup/receive.ts';
import { openRepository } from '../../tools/backup/repository.ts';
import { restoreInto } from '../../tools/backup/restore.ts';
import { receiveOnce } from '../../tools/commands/backup/receive.ts';
import { verify } from '../../tools/commands/backup/verify.ts';
import { acquireServer } from '../../tools/cluster/server.ts';
import { ask, withClient } from '../../tools/database.ts';
import { codeOf } from '../../tools/failure.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import { openRelay } from '../../tools/relay/relay.ts';
import { readSettings, type Settings } from '../../tools/settings.ts';
import { makeHospital } from '../backup/hospital.ts';
import { binaries, type Formation, openFormation, password } from './formation.ts';

const insert = `insert into hospital.patients (given_name, family_name, date_of_birth, sex)
  values ('Pat', $1, '1980-02-29', 'female') returning inet_server_port() as port`;

/** Four writers that try until they are stopped; knows by which server each name was acknowledged. */
function write(url: string, prefix: string, options = ''): {
  acknowledged: Map<string, number>;
  reached(count: number, port: number): Promise<void>;
  stop(): Promise<void>;
} {
  const acknowledged = new Map<string, number>();
  const stopping = new AbortController();
  let next = 0;
  const writer = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const client = new Client({ connectionString: url, options });
      client.on('error', () => {});
      try {
        await client.connect();
        while (!stopping.signal.aborted) {
          const name = `${prefix}${++next}`;
          const { rows } = await client.query<{ port: number }>(insert, [name]);
          acknowledged.set(name, rows[0]!.port);
        }
      } catch (error) {
        // Whatever a failover may do to a connection; but not a statement that is wrong.
        if (codeOf(error)?.startsWith('42')) throw error;
        await sleep(50);
      } finally {
        await client.end().catch(() => {});
      }
    }
  };
  const done = Promise.all(Array.from({ length: 4 }, writer));
  done.catch(() => {});
  const count = (port: number): number => [...acknowledged.values()].filter((each) => each === port).length;
  return {
    acknowledged,
    reached: async (wanted, port) => {
      while (count(port) < wanted) await Promise.race([sleep(20), done]);
    },
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

async function lost(url: string, acknowledged: Map<string, number>): Promise<string[]> {
  const { rows } = await withClient(url, (client) => ask(client, 'select family_name from hospital.patients'));
  const kept = new Set(rows.flat());
  return [...acknowledged.keys()].filter((name) => !kept.has(name));
}

describe('a hospital on two servers and a monitor', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let formation: Formation;
  let settings: Settings;
  let url: string;

  before(async () => {
    const key = randomBytes(32).toString('hex');
    formation = await openFormation((undo) => closing.push(undo), ['wal_level = logical', `infirmary.audit_key = '${key}'`]);
    const { primary } = await formation.ready();
    await applyRoles(formation.url(primary, 'postgres', 'postgres'), { hospital_monitor: password });
    const relay = await openRelay({
      nodes: Object.values(formation.nodes),
      url: formation.url(primary, 'hospital_monitor', 'postgres'),
      listen: { host: '127.0.0.1', port: 0 },
      tell: () => {},
    });
    closing.push(relay.close);
    const through = (role: string, database = 'hospital'): string => `postgres://${role}:${password}@127.0.0.1:${relay.port}/${database}`;
    url = through('hospital_owner');
    settings = readSettings({
      INFIRMARY_HOME: path.join(formation.folder, 'home'),
      PG_BIN_DIR: binaries,
      DATABASE_ADMIN_URL: through('postgres', 'postgres'),
      DATABASE_URL: url,
      BACKUP_URL: through('hospital_backup'),
      MONITOR_URL: through('hospital_monitor'),
      BACKUP_REPOSITORY: path.join(formation.folder, 'repository'),
    });
    await makeHospital(settings);
  });

  after(async () => {
    for (const close of closing.toReversed()) await close();
  });

  test('the primary is killed under load: the standby takes its place by itself, with every write that was acknowledged', async (t) => {
    const { primary, standby } = await formation.ready();
    const repository = openRepository(settings.backup);
    const server = await acquireServer(settings);
    const receiving = await keepReceiving(server.url('hospital_backup'), repository, () => {});
    t.after(() => receiving.stop());
    await createBackup(server, 'hospital', repository);

    const writing = write(url, 'first');
    t.after(() => writing.stop());
    await writing.reached(300, formation.nodes[primary].port);
    await formation.kill(primary);
    await writing.reached(300, formation.nodes[standby].port);
    await writing.stop();
    assert.deepEqual(await lost(url, writing.acknowledged), []);

    // The audit's key is there too, or no patient could be changed.
    const [patient = ''] = writing.acknowledged.keys();
    await withClient(url, async (client) => {
      const { count } = await ask(client, `update hospital.patients set given_name = 'Patricia' where family_name = $1`, [patient]);
      assert.equal(count, 1);
      assert.deepEqual((await ask(client, `select * from audit.verify('[]')`)).rows, []);
    });

    assert.deepEqual(await formation.ready(), { primary: standby, standby: primary }, 'the old primary follows the new one');
    // Synchronous again, so what is acknowledged now is on both, and soon to be read on both.
    const after = write(url, 'after');
    t.after(() => after.stop());
    await after.reached(50, formation.nodes[standby].port);
    await after.stop();
    const acknowledged = new Map([...writing.acknowledged, ...after.acknowledged]);
    while ((await lost(formation.url(primary, 'postgres'), acknowledged)).length > 0) await sleep(100);

    // The repository has followed: one backup of the first server, and the log of both.
    await receiving.stop();
    await receiveOnce(settings);
    assert.deepEqual(await verify(settings), []);
    const [into, tablespaces] = ['restored', 'tablespaces'].map((name) => path.join(formation.folder, name)) as [string, string];
    const restored = await restoreInto(settings, repository, { target: 'latest', into, tablespaces, durable: false });
    t.after(() => restored.server.stop());
    assert.deepEqual(await lost(restored.url('hospital_owner'), acknowledged), []);
  });

  test('the same loses writes that were acknowledged before the standby had them, so the test can fail', async (t) => {
    const { primary, standby } = await formation.ready();
    const senders = formation.processes(primary, 'walsender').map(String);
    assert.ok(senders.length > 0);
    // A server waits for them when it is stopped, should the test fail before it is killed.
    t.after(() => spawnSync('kill', ['-CONT', ...senders]));
    spawnSync('kill', ['-STOP', ...senders]);
    const writing = write(url, 'local', '-c synchronous_commit=local');
    t.after(() => writing.stop());
    await writing.reached(100, formation.nodes[primary].port);
    await formation.kill(primary);
    await formation.until(standby, 'wait_primary');
    await writing.stop();
    assert.ok((await lost(url, writing.acknowledged)).length > 0);
  });
});

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Client } from 'pg';
import { publishOn, publishOnce } from '../../tools/changes/publish.ts';
import { projectFolder } from '../../tools/settings.ts';
import { openBroker, type TestBroker } from '../support/broker.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/worker.ts';

interface Hospital {
  database: TestDatabase;
  owner: Client;
  /** Adds facilities, one transaction each, and returns their keys. */
  add(count: number): Promise<string[]>;
  position(): Promise<string>;
}

async function openHospital(t: TestContext): Promise<Hospital> {
  const database = await cloneDatabase();
  const owner = new Client({ connectionString: database.url('hospital_owner') });
  owner.on('error', () => {});
  await owner.connect();
  t.after(() => owner.end());
  await owner.query(`select ops.register_consumer('lab', '{hospital.facilities,hospital.departments}')`);
  return {
    database,
    owner,
    add: async (count) => {
      const keys: string[] = [];
      for (let i = 0; i < count; i += 1) {
        const insert = `insert into hospital.facilities (name, time_zone) values ('Secret Street ${i}', 'UTC') returning id`;
        keys.push((await owner.query(insert)).rows[0].id);
      }
      return keys;
    },
    position: async () => (await owner.query('select position::text from ops.change_consumers')).rows[0].position,
  };
}

const publishing = ({ database }: Hospital, { url }: TestBroker): Parameters<typeof publishOnce>[0] => ({
  url: database.url('hospital_worker'),
  consumer: 'lab',
  broker: { url },
});

/** Publishes until as many messages as wait have gone: other tests' transactions hold the horizon back. */
async function publishUntil(hospital: Hospital, broker: TestBroker, count: number): Promise<void> {
  let published = 0;
  await until(async () => (published += await publishOnce(publishing(hospital, broker))) >= count);
}

const keysOf = (broker: TestBroker): string[] => broker.heard.map(({ key }) => key);

/** `infirmary changes …` in a process of its own. */
function spawnChanges(
  { database }: Hospital,
  broker: TestBroker,
  ...options: string[]
): { child: ChildProcess; said(): string } {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    WORKER_URL: database.url('hospital_worker'),
    DATABASE_URL: database.url('hospital_owner'),
    MQTT_URL: broker.url,
  };
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, [path.join('tools', 'cli.ts'), 'changes', ...options], {
    cwd: projectFolder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  return { child, said: () => text };
}

describe('changes published to a message broker', { concurrency: 2 }, () => {
  test('each is told once, in order, at QoS 1, on the topic of its table, with keys and no more', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    const [facility, ...more] = await hospital.add(450);
    await hospital.owner.query(`insert into hospital.departments (facility_id, name) values ($1, 'Ward')`, [facility]);
    await publishUntil(hospital, broker, 451);
    assert.deepEqual(keysOf(broker).slice(0, 450), [facility, ...more]);
    assert.deepEqual(new Set(broker.heard.map(({ topic }) => topic)), new Set(['infirmary/lab/facilities', 'infirmary/lab/departments']));
    for (const message of broker.heard) {
      assert.equal(message.qos, 1);
      assert.deepEqual(Object.keys(message).sort(), ['key', 'operation', 'qos', 'recordedAt', 'sequence', 'stream', 'table', 'topic']);
      assert.ok(!JSON.stringify(message).includes('Secret Street'));
    }
    assert.equal(await publishOnce(publishing(hospital, broker)), 0, 'and not again');
  });

  test('killed after publishing and before acknowledging: told twice, never lost', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    const keys = await hospital.add(3);
    const before = await hospital.position();
    // Whoever acknowledges now waits, as if killed at the worst moment.
    const holder = new Client({ connectionString: hospital.database.url('hospital_owner') });
    await holder.connect();
    t.after(() => holder.end());
    broker.takes = async () => {
      broker.takes = () => true;
      await holder.query('begin; select from ops.change_consumers for update');
      return true;
    };
    const { child, said } = spawnChanges(hospital, broker, 'publish', 'lab');
    await until(async () => {
      assert.equal(child.exitCode, null, said());
      return broker.heard.length >= 3;
    });
    const admin = new Client({ connectionString: hospital.database.url('postgres') });
    await admin.connect();
    t.after(() => admin.end());
    const waiting = `from pg_stat_activity where datname = current_database() and usename = 'hospital_worker' and wait_event_type = 'Lock'`;
    await until(async () => (await admin.query(`select ${waiting}`)).rowCount === 1);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    // Its last statement is on its way to the server; this is the moment before it arrives.
    await admin.query(`select pg_terminate_backend(pid, 10000) ${waiting}`);
    await holder.query('rollback');
    assert.equal(await hospital.position(), before);
    await publishUntil(hospital, broker, 3);
    assert.deepEqual(keysOf(broker), [...keys, ...keys]);
    assert.equal(new Set(broker.heard.map(({ sequence }) => sequence)).size, 3, 'a double is known by its sequence');
  });

  test('a broker that dies in the middle, again and again, costs doubles and no message', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    const keys = await hospital.add(40);
    let deaths = 0;
    broker.takes = () => {
      const dies = broker.heard.length % 17 === 13 && deaths < 4;
      deaths += Number(dies);
      return !dies;
    };
    const stopping = new AbortController();
    const published = publishOn(publishing(hospital, broker), stopping.signal);
    await until(async () => keys.every((key) => keysOf(broker).includes(key)));
    stopping.abort();
    await published;
    assert.ok(deaths > 0 && broker.heard.length > keys.length);
    const firsts = keysOf(broker).filter((key, index, all) => all.indexOf(key) === index);
    assert.deepEqual(firsts, keys, 'the first time each is told, it is in order');
  });

  test('acknowledged before it is published, a message is lost: so these tests can fail', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    const keys = await hospital.add(3);
    const worker = new Client({ connectionString: hospital.database.url('hospital_worker') });
    await worker.connect();
    t.after(() => worker.end());
    await until(async () => {
      const { rows } = await worker.query(`select position::text from ops.read_change_events('lab', 100)`);
      if (rows.length < keys.length) return false;
      await worker.query(`select ops.acknowledge_change_events('lab', $1)`, [rows.at(-1).position]);
      return true;
    });
    broker.takes = () => false;
    await publishOnce(publishing(hospital, broker));
    assert.deepEqual(keysOf(broker), []);
  });

  test('while one process publishes for a consumer no other does', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    const worker = new Client({ connectionString: hospital.database.url('hospital_worker') });
    await worker.connect();
    await worker.query(`select pg_advisory_lock(hashtext('ops.change_consumers'), hashtext('lab'))`);
    await assert.rejects(publishOnce(publishing(hospital, broker)), /Another process publishes/);
    await worker.end();
    await until(() => publishOnce(publishing(hospital, broker)).then(() => true, () => false));
  });

  test('a consumer that must begin anew ends the publisher, with what to do, and begins under a new stream', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    await hospital.add(1);
    await publishUntil(hospital, broker, 1);
    await hospital.owner.query(`update ops.change_consumers set incarnation = 'before the restore'`);
    const { child, said } = spawnChanges(hospital, broker, 'publish', 'lab');
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.match(said(), /must resynchronise[^]*infirmary changes reset/);
    const reset = spawnChanges(hospital, broker, 'reset', 'lab');
    assert.deepEqual(await once(reset.child, 'close'), [0, null], reset.said());
    await hospital.add(1);
    await publishUntil(hospital, broker, 1);
    assert.equal(new Set(broker.heard.map(({ stream }) => stream)).size, 2);
  });

  test('a broker that cannot be reached is said without its password, and nothing is acknowledged', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    await hospital.add(1);
    const before = await hospital.position();
    const nowhere = { ...broker, url: 'mqtt://user:not-in-logs@127.0.0.1:1' };
    const { child, said } = spawnChanges(hospital, nowhere, 'publish', 'lab', '--once');
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.match(said(), /message broker cannot be reached/);
    assert.doesNotMatch(said(), /not-in-logs/);
    assert.equal(await hospital.position(), before);
  });

  test('over TLS the certificate is checked, against one’s own authority when it is named', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-broker-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile],
    ], { stdio: 'ignore' });
    const hospital = await openHospital(t);
    const broker = await openBroker(t, { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') });
    await hospital.add(1);
    await assert.rejects(publishOnce(publishing(hospital, broker)), /cannot be reached \((DEPTH_ZERO_)?SELF_SIGNED_CERT/);
    assert.deepEqual(broker.heard, []);
    const trusting = { ...publishing(hospital, broker), broker: { url: broker.url, caFile: certFile } };
    await until(async () => (await publishOnce(trusting)) === 1);
    assert.equal(broker.heard.length, 1);
  });

  test('the command line registers, lists, publishes and forgets', async (t) => {
    const [hospital, broker] = [await openHospital(t), await openBroker(t)];
    const run = async (code: number, ...options: string[]): Promise<string> => {
      const { child, said } = spawnChanges(hospital, broker, ...options);
      assert.deepEqual(await once(child, 'close'), [code, null], said());
      return said();
    };
    await run(0, 'register', 'wards', '--tables', 'rooms, hospital.departments');
    await run(1, 'register', 'nobody', '--tables', 'no_such_table');
    assert.match(await run(0, 'list', '--json'), /"consumer":"wards","reader":"hospital_worker","waiting":"0"/);
    await run(0, 'publish', 'wards', '--once');
    await run(0, 'forget', 'wards');
    await run(1, 'forget', 'wards');
    assert.doesNotMatch(await run(0, 'list'), /wards/);
  });
});

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Client } from 'pg';
import { openHome } from '../../tools/cluster/home.ts';
import {
  createSubscriber,
  dropSubscriber,
  refreshSubscriber,
  statusOfSubscriber,
  type Subscription,
} from '../../tools/subscriber/subscriber.ts';
import { projectFolder } from '../../tools/settings.ts';
import { acquireServer as acquireNew } from '../../tools/cluster/server.ts';
import { acquireServer, makeSettings } from '../support/cluster.ts';
import { cloneDatabase } from '../support/database.ts';
import { openPair } from '../support/standby.ts';
import { until } from '../support/worker.ts';

interface Two {
  subscription: Subscription;
  /** The hospital, as its owner, and as the administrator of its server. */
  owner: Client;
  admin: Client;
  /** The second server, and its log. */
  copy: Client;
  log: string;
  /** Is undone before the servers are let go. */
  later(undo: () => Promise<unknown>): void;
  count(table: string): Promise<number>;
  /** Waits until the copy holds as much of a table as the hospital. */
  caughtUp(table: string): Promise<void>;
}

let opened = 0;

/** A small hospital in the tests' cluster, and a second cluster beside it. */
async function openTwo(t: TestContext): Promise<Two> {
  const closing: (() => Promise<unknown>)[] = [];
  // Registered before the settings', which wait for everybody to have let go of the server.
  t.after(async () => {
    for (const close of closing.toReversed()) await close();
  });
  const settings = makeSettings(t);
  const second = await acquireServer(settings);
  closing.push(() => second.release());
  const database = await cloneDatabase({ seeded: true });
  const subscription = {
    publisher: database.url('hospital_backup'),
    subscriber: second.url('postgres'),
    name: `test_${process.pid}_${++opened}`,
  };
  closing.push(() => dropSubscriber(subscription).catch(() => {}));
  const connect = async (url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    closing.push(() => client.end());
    return client;
  };
  const copy = await connect(second.url('postgres'));
  const owner = await connect(database.url('hospital_owner'));
  const countIn = async (client: Client, table: string): Promise<number> =>
    (await client.query(`select count(*)::integer as count from ${table}`)).rows[0].count;
  return {
    subscription,
    owner,
    admin: await connect(database.url('postgres')),
    copy,
    log: openHome(settings.home).log,
    later: (undo) => void closing.push(undo),
    count: (table) => countIn(copy, table),
    caughtUp: (table) => until(async () => (await countIn(copy, table)) === (await countIn(owner, table))),
  };
}

const slots = async ({ admin, subscription }: Two): Promise<number | null> =>
  (await admin.query('select from pg_replication_slots where slot_name = $1', [subscription.name])).rowCount;

test('a second server is given every row that is published, follows every change, and leaves no slot behind', async (t) => {
  const two = await openTwo(t);
  const { subscription, owner, copy } = two;
  await createSubscriber(subscription);
  const { rows: published } = await owner.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_publication_tables where pubname = 'warehouse_sources'`,
  );
  assert.ok(published.length > 10);
  for (const { name } of published) await two.caughtUp(name);
  assert.ok((await two.count('hospital.appointments')) > 100);

  // Numbers computed from others come out alike, and not a name has come along.
  const sum = 'select sum(person_id)::text as persons, count(*)::integer as patients from hospital.patients';
  assert.deepEqual((await copy.query(sum)).rows, (await owner.query(sum)).rows);
  const { rows: columns } = await copy.query(
    `select attname as name from pg_attribute where attrelid = 'hospital.patients'::regclass and attnum > 0 order by 1`,
  );
  assert.deepEqual(columns.map(({ name }) => name), ['date_of_birth', 'id', 'merged_into_id', 'person_id']);

  // Whatever the warehouse extracts can be extracted there: a column that were missing from the list is missed here.
  // But for symptoms, which are words out of notes: no text leaves.
  const extracts = globSync('sql/13-warehouse/extract/*.sql', { cwd: projectFolder }).filter((file) => !file.endsWith('symptoms.sql'));
  assert.ok(extracts.length > 5);
  for (const file of extracts) {
    await copy.query(await readFile(path.join(projectFolder, file), 'utf8'));
    const rows = `select count(*)::integer as rows from warehouse.extract_${path.basename(file, '.sql')}`;
    assert.deepEqual((await copy.query(rows)).rows, (await owner.query(rows)).rows, file);
  }
  await copy.query(extracts.map((file) => `drop view warehouse.extract_${path.basename(file, '.sql')}`).join(';'));

  await owner.query(`insert into hospital.facilities (name, time_zone) values ('A new one', 'UTC')`);
  await owner.query(`update hospital.appointment_types set price = 77 where code = 'consultation'`);
  await two.caughtUp('hospital.facilities');
  await owner.query(`delete from hospital.facilities where name = 'A new one'`);
  await two.caughtUp('hospital.facilities');
  await until(async () => (await copy.query(`select from hospital.appointment_types where price = 77`)).rowCount === 1);

  await until(async () => {
    const status = await statusOfSubscriber(subscription);
    return status.connected && status.ready === status.tables && status.behindBytes === 0;
  });
  const { log, differing } = await statusOfSubscriber(subscription);
  assert.deepEqual({ log, differing }, { log: 'reserved', differing: [] });

  assert.equal(await slots(two), 1);
  await dropSubscriber(subscription, { erase: true });
  assert.equal(await slots(two), 0);
  assert.equal((await copy.query(`select from pg_tables where schemaname in ('hospital', 'warehouse')`)).rowCount, 0);
});

test('nobody but the administrator of the copy reads it, since row security stays with the sessions', async (t) => {
  const two = await openTwo(t);
  await createSubscriber(two.subscription);
  await two.copy.query('create role anybody');
  for (const statement of ['select from hospital.appointments', 'select from warehouse.patient_versions']) {
    await two.copy.query('set role anybody');
    await assert.rejects(two.copy.query(statement), { code: '42501' });
    await two.copy.query('reset role');
  }
});

test('a column more is copied anew with its table, and what happened meanwhile is not lost', async (t) => {
  const two = await openTwo(t);
  const { subscription, owner, copy } = two;
  await createSubscriber(subscription);
  await owner.query('alter publication warehouse_sources drop table hospital.medications, hospital.facilities');
  await owner.query('alter publication warehouse_sources add table hospital.facilities (id, name, time_zone, public_uuid)');
  await owner.query(`insert into hospital.facilities (name, time_zone) values ('While they differed', 'UTC')`);
  await owner.query(`update hospital.appointment_types set price = 78 where code = 'consultation'`);
  assert.deepEqual((await statusOfSubscriber(subscription)).differing, ['hospital.facilities', 'hospital.medications']);

  assert.deepEqual(await refreshSubscriber(subscription), ['hospital.facilities', 'hospital.medications']);
  await two.caughtUp('hospital.facilities');
  assert.equal((await copy.query('select from hospital.facilities where public_uuid is null')).rowCount, 0);
  assert.equal((await copy.query(`select to_regclass('hospital.medications') as gone`)).rows[0].gone, null);
  await until(async () => (await copy.query('select from hospital.appointment_types where price = 78')).rowCount === 1);
  await owner.query(`update hospital.facilities set name = 'Renamed' where name = 'While they differed'`);
  await until(async () => (await copy.query(`select from hospital.facilities where name = 'Renamed'`)).rowCount === 1);
  assert.deepEqual(await refreshSubscriber(subscription), []);
});

test('a role that may read the published columns only is enough; one under row security is refused', async (t) => {
  const two = await openTwo(t);
  const { admin, subscription } = two;
  const role = `reader_${process.pid}`;
  await admin.query(`create role ${role} login replication bypassrls password 'a word'`);
  two.later(() => admin.query(`drop owned by ${role}; drop role ${role}`));
  // As docs/downstream.md says.
  await admin.query(`
    do $$
    declare
      published record;
    begin
      for published in select * from pg_publication_tables where pubname = 'warehouse_sources' loop
        execute format(
          'grant select (%s) on %I.%I to ${role}',
          (select string_agg(quote_ident(name), ', ') from unnest(published.attnames) as name),
          published.schemaname,
          published.tablename
        );
      end loop;
      grant usage on schema hospital, warehouse to ${role};
      execute format('grant connect on database %I to ${role}', current_database());
    end
    $$`);
  const url = new URL(subscription.publisher);
  url.username = role;
  url.password = 'a word';
  const asReader = { ...subscription, publisher: url.href };

  await admin.query(`alter role ${role} nobypassrls`);
  await assert.rejects(createSubscriber(asReader), /under row security/);
  assert.equal(await slots(two), 0);
  await admin.query(`alter role ${role} bypassrls`);
  await createSubscriber(asReader);
  await two.caughtUp('hospital.patients');
  assert.ok((await two.count('hospital.patients')) > 0);
  const reader = new Client({ connectionString: url.href });
  await reader.connect();
  await assert.rejects(reader.query('select family_name from hospital.patients'), { code: '42501' });
  await reader.end();
  await dropSubscriber(asReader);
});

test('a wrong password or the hospital’s own server leaves nothing behind, and no password in any log', async (t) => {
  const two = await openTwo(t);
  const { subscription, copy } = two;
  await assert.rejects(
    createSubscriber({ ...subscription, subscriber: subscription.publisher }),
    /own server/,
  );
  await copy.query(`alter system set log_statement = 'all'`);
  await copy.query(`alter system set log_min_messages = 'warning'`);
  await copy.query(`alter system set log_min_error_statement = 'error'`);
  await copy.query('select pg_reload_conf()');
  const blocked = { ...subscription, name: 'Not A Slot' };
  await assert.rejects(createSubscriber(blocked), (error: Error) => !error.message.includes('postgres://'));
  assert.equal(await slots(two), 0);
  assert.equal((await copy.query(`select from pg_tables where schemaname in ('hospital', 'warehouse')`)).rowCount, 0);
  await createSubscriber(subscription);
  const log = await readFile(two.log, 'utf8');
  assert.ok(log.includes('create table hospital.patients'), 'the server did write down what it was asked');
  assert.ok(!log.includes(new URL(subscription.publisher).password));
  await dropSubscriber(subscription);
});

test('with the publisher out of reach the subscription stays, unless its slot is left there', async (t) => {
  const two = await openTwo(t);
  const { subscription, admin, copy } = two;
  await createSubscriber(subscription);
  await copy.query(`alter subscription ${subscription.name} disable`);
  await copy.query(`alter subscription ${subscription.name} connection 'host=127.0.0.1 port=1 dbname=none'`);
  await assert.rejects(dropSubscriber(subscription), /slot at the publisher could not be removed/);
  await dropSubscriber(subscription, { leaveSlot: true });
  assert.equal((await copy.query('select from pg_subscription')).rowCount, 0);
  await until(async () => {
    await admin.query(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active`, [subscription.name]);
    return (await slots(two)) === 0;
  });
});

test('a subscriber that stays away too long loses its slot, which shows, and is made anew', async (t) => {
  const pair = await openPair(t);
  const settings = makeSettings(t);
  // A cluster of its own making: those of a pair are copies, and one and the same to a subscriber.
  const second = await acquireNew(settings, { durable: false });
  pair.later(() => second.release());
  const subscription = {
    publisher: pair.primary.url('hospital_backup', 'hospital'),
    subscriber: second.url('postgres'),
    name: 'away',
  };
  const copy = new Client({ connectionString: subscription.subscriber });
  await copy.connect();
  pair.later(() => copy.end());
  const admin = new Client({ connectionString: pair.primary.url('postgres', 'hospital') });
  await admin.connect();
  pair.later(() => admin.end());

  await createSubscriber(subscription);
  await copy.query('alter subscription away disable');
  await admin.query(`alter system set max_slot_wal_keep_size = '16MB'`);
  await admin.query('select pg_reload_conf()');
  await until(async () => {
    await pair.owner.query(`insert into hospital.facilities (name, time_zone) values ('Far ahead', 'UTC')`);
    await admin.query('select pg_switch_wal()');
    await admin.query('checkpoint');
    const { log, connected } = await statusOfSubscriber(subscription);
    return log === 'lost' && !connected;
  });
  await dropSubscriber(subscription, { erase: true });
  await createSubscriber(subscription);
  const { log, ready, tables } = await statusOfSubscriber(subscription);
  assert.deepEqual({ log, ready }, { log: 'reserved', ready: tables });
  assert.ok((await copy.query(`select from hospital.facilities where name = 'Far ahead'`)).rowCount! > 0);
  await dropSubscriber(subscription);
});

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Client } from 'pg';
import type { LoginRole } from '../../tools/cluster/server.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/worker.ts';

interface Event {
  stream: string;
  position: string;
  sequence: string;
  table_name: string;
  operation: string;
  row_key: string;
}

async function connect(t: TestContext, database: TestDatabase, role: LoginRole = 'hospital_owner'): Promise<Client> {
  const client = new Client({ connectionString: database.url(role) });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

const register = (client: Client, tables = '{hospital.facilities}'): Promise<unknown> =>
  client.query(`select ops.register_consumer('lab', $1)`, [tables]);

const addFacility = async (client: Client, name: string): Promise<string> =>
  (await client.query(`insert into hospital.facilities (name, time_zone) values ($1, 'UTC') returning id`, [name]))
    .rows[0].id;

const rename = (client: Client, id: string, name: string): Promise<unknown> =>
  client.query('update hospital.facilities set name = $2 where id = $1', [id, name]);

const read = async (client: Client, most = 100): Promise<Event[]> =>
  (await client.query<Event>(`select * from ops.read_change_events('lab', $1)`, [most])).rows;

const acknowledge = (client: Client, position: string): Promise<unknown> =>
  client.query(`select ops.acknowledge_change_events('lab', $1)`, [position]);

/** Reads until there are as many events as expected: other tests' transactions hold the horizon back. */
async function readAll(client: Client, count: number): Promise<Event[]> {
  let events: Event[] = [];
  await until(async () => (events = await read(client)).length >= count);
  return events;
}

for (const isolation of ['read committed', 'repeatable read', 'serializable']) {
  test(`a change committed late under an early number is told, and nothing over its head (${isolation})`, async (t) => {
    const database = await cloneDatabase();
    const [late, quick] = [await connect(t, database), await connect(t, database)];
    const reader = await connect(t, database, 'hospital_worker');
    await register(quick);
    await late.query(`begin isolation level ${isolation}`);
    const first = await addFacility(late, 'late');
    const second = await addFacility(quick, 'quick');
    assert.deepEqual(await read(reader), [], 'the quick one waits for what began before it');
    await late.query('commit');
    const events = await readAll(reader, 2);
    assert.deepEqual(events.map((event) => event.row_key), [first, second]);
    // The attack: a reader who had remembered the highest number seen would now be past the late one.
    assert.ok(BigInt(events[0]!.sequence) < BigInt(events[1]!.sequence));
  });
}

test('two changes of one row may be told in the order of their transactions, and sequence says which is newer', async (t) => {
  const database = await cloneDatabase();
  const [older, younger] = [await connect(t, database), await connect(t, database)];
  const reader = await connect(t, database, 'hospital_worker');
  const row = await addFacility(older, 'row');
  await register(older);
  await older.query('begin');
  await addFacility(older, 'gives the transaction its number');
  await rename(younger, row, 'first');
  await rename(older, row, 'second');
  await older.query('commit');
  let events: Event[] = [];
  await until(async () => {
    // Its insertion may be told too, if something older was running when the consumer was registered.
    events = (await read(reader)).filter((event) => event.row_key === row && event.operation === 'update');
    return events.length === 2;
  });
  const [told, toldAfter] = events.map((event) => BigInt(event.sequence));
  assert.ok(told! > toldAfter!, 'the newer change is told first, and the older one has the lower sequence');
});

test('what is not acknowledged is told again, what is acknowledged never, and nothing moves back', async (t) => {
  const database = await cloneDatabase();
  const owner = await connect(t, database);
  const reader = await connect(t, database, 'hospital_worker');
  await register(owner);
  for (const name of ['a', 'b', 'c', 'd']) await addFacility(owner, name);
  await readAll(reader, 4);
  const two = await read(reader, 2);
  assert.deepEqual(await read(reader, 2), two);
  const all = await read(reader);
  assert.equal(all.length, 4);
  await acknowledge(reader, all[2]!.position);
  assert.deepEqual(await read(reader), all.slice(3));
  await acknowledge(reader, all[0]!.position);
  assert.deepEqual(await read(reader), all.slice(3), 'a slow double moves nothing back');
  await acknowledge(reader, all[3]!.position);
  assert.deepEqual(await read(reader), []);
  assert.equal(new Set(all.map((event) => event.stream)).size, 1);
});

test('a consumer whose tables rest does not look through all the others again', async (t) => {
  const database = await cloneDatabase();
  const owner = await connect(t, database);
  const reader = await connect(t, database, 'hospital_worker');
  await register(owner, '{hospital.visits}');
  const position = async (): Promise<string> =>
    (await owner.query('select position::text as position from ops.change_consumers')).rows[0].position;
  const before = await position();
  await addFacility(owner, 'of no interest');
  await until(async () => {
    assert.deepEqual(await read(reader), []);
    return (await position()) !== before;
  });
});

test('eight writers and two readers that break off: every change is told at least once, in order', async (t) => {
  const database = await cloneDatabase();
  const writers = await Promise.all(Array.from({ length: 8 }, () => connect(t, database)));
  const readers = await Promise.all(Array.from({ length: 2 }, () => connect(t, database, 'hospital_worker')));
  await register(writers[0]!);
  const made: string[] = [];
  let writing = true;
  const write = async (client: Client, n: number): Promise<void> => {
    for (let i = 0; i < 30; i += 1) {
      await client.query('begin');
      const ids = [await addFacility(client, `${n} ${i} a`), await addFacility(client, `${n} ${i} b`)];
      await client.query(i % 5 === 4 ? 'rollback' : 'commit');
      if (i % 5 !== 4) made.push(...ids);
    }
  };
  const told = new Set<string>();
  const consume = async (client: Client): Promise<void> => {
    for (let turn = 0; ; turn += 1) {
      const finished = !writing;
      await client.query('begin');
      const events = await read(client, 7);
      for (const { row_key: key } of events) told.add(key);
      if (events.length > 0) await acknowledge(client, events.at(-1)!.position);
      // Every third time it is killed between the two.
      await client.query(turn % 3 === 2 ? 'rollback' : 'commit');
      if (finished && made.every((key) => told.has(key))) return;
    }
  };
  const consuming = readers.map(consume);
  await Promise.all(writers.map(write));
  writing = false;
  await Promise.all(consuming);
  assert.equal(made.length, 8 * 24 * 2);
  assert.deepEqual(told, new Set(made), 'and what was rolled back is never told');
});

test('under an older snapshot nobody reads, since a month could be retired behind its back', async (t) => {
  const database = await cloneDatabase();
  const owner = await connect(t, database);
  const reader = await connect(t, database, 'hospital_worker');
  await register(owner);
  for (const isolation of ['repeatable read', 'serializable']) {
    await reader.query(`begin isolation level ${isolation}`);
    await assert.rejects(read(reader), { code: 'ISOLN' });
    await reader.query('rollback');
  }
});

test('a month retired with changes that were not acknowledged is said, and not passed over', async (t) => {
  const database = await cloneDatabase();
  const owner = await connect(t, database);
  const reader = await connect(t, database, 'hospital_worker');
  await register(owner);
  await addFacility(owner, 'in the month that goes');
  await until(async () => {
    await owner.query('select audit.seal_entries()');
    return (await read(reader)).length === 1;
  });
  await until(async () => {
    await owner.query('select audit.seal_entries()');
    const left = `select from audit.entries as e where not exists (select from audit.seals as s where e.sequence = any (s.sequences))`;
    return (await owner.query(left)).rowCount === 0;
  });
  // As retire_month leaves it, but for the month that has not passed.
  await owner.query(`insert into audit.retired_months (month, entries) select distinct month, 1 from audit.seals`);
  await assert.rejects(read(reader), { code: 'RESYN' });
  const lags = await reader.query('select is_lost from ops.consumer_lags()');
  assert.deepEqual(lags.rows, [{ is_lost: true }]);
  await owner.query(`select ops.reset_consumer('lab')`);
  const added = await addFacility(owner, 'after');
  assert.deepEqual((await readAll(reader, 1)).map((event) => event.row_key), [added]);
});

test('the lag of a consumer counts what waits for it, and since when', async (t) => {
  const database = await cloneDatabase();
  const owner = await connect(t, database);
  const reader = await connect(t, database, 'hospital_worker');
  await register(owner);
  await addFacility(owner, 'one');
  await addFacility(owner, 'two');
  const events = await readAll(reader, 2);
  const lag = async (): Promise<object> =>
    (await reader.query(`select waiting, waiting_since is not null as since, is_lost from ops.consumer_lags()`)).rows[0];
  assert.deepEqual(await lag(), { waiting: '2', since: true, is_lost: false });
  await acknowledge(reader, events.at(-1)!.position);
  assert.deepEqual(await lag(), { waiting: '0', since: false, is_lost: false });
});

test('a batch costs what it holds, however much waits behind it', async (t) => {
  const database = await cloneDatabase();
  const owner = await connect(t, database);
  const reader = await connect(t, database, 'hospital_worker');
  await register(owner);
  await owner.query(`insert into hospital.facilities (name, time_zone) select n::text, 'UTC' from generate_series(1, 20000) as n`);
  await readAll(reader, 100);
  const explain = `explain (analyze, buffers, format json) select * from ops.read_change_events('lab', 100)`;
  const { Plan: plan } = (await reader.query(explain)).rows[0]['QUERY PLAN'][0];
  assert.equal(plan['Actual Rows'], 100);
  // To sort them all took more than 5,000.
  assert.ok(plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] < 1000, JSON.stringify(plan));
});

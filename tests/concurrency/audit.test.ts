import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/worker.ts';

async function connect(t: TestContext, database: TestDatabase): Promise<Client> {
  const client = new Client({ connectionString: database.url('hospital_owner') });
  await client.connect();
  t.after(() => client.end());
  return client;
}

const addFacility = (client: Client, name: string): Promise<unknown> =>
  client.query(`insert into hospital.facilities (name, time_zone) values ($1, 'UTC')`, [name]);

/** The names of the facilities in the order in which their entries are sealed. */
async function sealedNames(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select f.name
     from audit.seals as s
     cross join lateral unnest(s.sequences) with ordinality as u (sequence, position)
     join audit.entries as e on e.sequence = u.sequence
     join hospital.facilities as f on f.id::text = e.row_key
     where e.table_name = 'hospital.facilities'
     order by s.block, u.position`,
  );
  return rows.map(({ name }) => name);
}

const seal = async (client: Client, size = 10_000): Promise<number> =>
  Number((await client.query('select audit.seal_entries($1) as count', [size])).rows[0].count);

for (const isolation of ['read committed', 'repeatable read', 'serializable']) {
  test(`a transaction that ends late is not skipped, and holds up what came after it (${isolation})`, async (t) => {
    const database = await cloneDatabase();
    const [late, quick, sealer] = [await connect(t, database), await connect(t, database), await connect(t, database)];
    await late.query(`begin isolation level ${isolation}`);
    await addFacility(late, 'late one');
    await addFacility(quick, 'quick');
    await addFacility(late, 'late two');
    await until(async () => {
      await seal(sealer);
      return (await sealer.query('select from audit.seals')).rowCount !== 0;
    });
    assert.deepEqual(await sealedNames(sealer), [], 'nothing is sealed over the head of a running transaction');
    await late.query('commit');
    await until(async () => {
      await seal(sealer);
      return (await sealedNames(sealer)).length === 3;
    });
    assert.deepEqual(await sealedNames(sealer), ['late one', 'late two', 'quick']);
    assert.deepEqual((await sealer.query('select * from audit.verify()')).rows, []);
  });
}

test('what is rolled back leaves neither an entry nor a gap that counts', async (t) => {
  const database = await cloneDatabase();
  const [one, sealer] = [await connect(t, database), await connect(t, database)];
  await one.query('begin');
  await addFacility(one, 'never');
  await one.query('rollback');
  await addFacility(one, 'there');
  await until(async () => {
    await seal(sealer);
    return (await sealedNames(sealer)).length === 1;
  });
  assert.deepEqual(await sealedNames(sealer), ['there']);
  assert.deepEqual((await sealer.query('select * from audit.verify()')).rows, []);
});

test('eight sealers beside eight writers seal every entry exactly once and wait for nobody', async (t) => {
  const database = await cloneDatabase();
  const writers = await Promise.all(Array.from({ length: 8 }, () => connect(t, database)));
  const sealers = await Promise.all(Array.from({ length: 8 }, () => connect(t, database)));
  let writing = true;
  const write = async (client: Client, n: number): Promise<void> => {
    for (let i = 0; i < 40; i += 1) {
      await client.query('begin');
      await addFacility(client, `${n} ${i} a`);
      await addFacility(client, `${n} ${i} b`);
      await client.query(i % 5 === 4 ? 'rollback' : 'commit');
    }
  };
  const sealing = sealers.map(async (client) => {
    while (writing) await seal(client, 7);
  });
  await Promise.all(writers.map(write));
  writing = false;
  await Promise.all(sealing);
  const [reader] = sealers;
  await until(async () => {
    await seal(reader!, 7);
    return (await sealedNames(reader!)).length === 8 * 32 * 2;
  });
  const { rows } = await reader!.query(
    `select count(*)::integer as sealed, count(distinct u)::integer as different,
       (select count(*)::integer from audit.entries) as entries
     from audit.seals as s cross join lateral unnest(s.sequences) as u`,
  );
  assert.equal(rows[0].sealed, rows[0].different);
  assert.equal(rows[0].sealed, rows[0].entries);
  assert.deepEqual((await reader!.query('select * from audit.verify()')).rows, []);
});

test('while somebody seals, another sealer returns at once and a writer is not held up', async (t) => {
  const database = await cloneDatabase();
  const [first, second, writer] = [await connect(t, database), await connect(t, database), await connect(t, database)];
  await until(async () => {
    await first.query('begin');
    if ((await seal(first)) > 0) return true;
    await first.query('rollback');
    return false;
  });
  assert.equal(await seal(second), 0);
  await writer.query(`set lock_timeout = '1ms'`);
  await addFacility(writer, 'meanwhile');
  await first.query('commit');
});

test('two who need a person’s first key at once seal with the same one', async (t) => {
  const database = await cloneDatabase();
  const [one, two] = [await connect(t, database), await connect(t, database)];
  const { rows } = await one.query<{ id: string }>(
    `insert into hospital.patients (given_name, family_name, date_of_birth, sex)
     values ('Ann', 'Able', '1980-01-01', 'female') returning id`,
  );
  const id = rows[0]!.id;
  await one.query('begin');
  const ask = `select audit.seal_identity(k.key, '{"a": 1}') as sealed from audit.person_keys_of(array[$1]::bigint[], true) as k`;
  const first = (await one.query(ask, [id])).rows[0].sealed;
  const waiting = two.query(ask, [id]);
  await one.query('commit');
  const second = (await waiting).rows[0].sealed;
  for (const sealed of [first, second]) {
    assert.deepEqual((await one.query('select audit.open_identity($1, $2) as content', [id, sealed])).rows[0].content, { a: 1 });
  }
});

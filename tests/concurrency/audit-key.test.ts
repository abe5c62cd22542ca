import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/worker.ts';

const newKey = 'ab'.repeat(32);
const opened = 'select audit.open_identity($1, $2) as content';
const seal = `select audit.seal_identity(k.key, '{"a": 1}') as sealed from audit.person_keys_of(array[$1]::bigint[], true) as k`;

async function connect(t: TestContext, database: TestDatabase): Promise<Client> {
  const client = new Client({ connectionString: database.url('postgres') });
  await client.connect();
  t.after(() => client.end());
  return client;
}

async function register(client: Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `insert into hospital.patients (given_name, family_name, date_of_birth, sex)
     values ('Ann', 'Able', '1980-01-01', 'female') returning id`,
  );
  return rows[0]!.id;
}

async function waitsFor(t: TestContext, database: TestDatabase, pid: number): Promise<void> {
  const watcher = await connect(t, database);
  await until(async () => {
    const { rows } = await watcher.query<{ waits: boolean }>('select cardinality(pg_blocking_pids($1)) > 0 as waits', [pid]);
    return rows[0]!.waits;
  });
}

const pidOf = async (client: Client): Promise<number> => (await client.query('select pg_backend_pid() as pid')).rows[0].pid;

test('a key is replaced when whoever is sealing has committed, and what he sealed opens with the new one', async (t) => {
  const database = await cloneDatabase();
  const [writer, operator] = [await connect(t, database), await connect(t, database)];
  const id = await register(writer);
  const pid = await pidOf(operator);
  await writer.query('begin');
  const { sealed } = (await writer.query(seal, [id])).rows[0];
  const replacing = operator.query(`select audit.replace_key('${newKey}') as wrapped`);
  const settled = Promise.allSettled([replacing]);
  await waitsFor(t, database, pid);
  await writer.query('commit');
  await settled;
  assert.equal((await replacing).rows[0].wrapped, '1');
  await operator.query(`set infirmary.audit_key = '${newKey}'`);
  assert.deepEqual((await operator.query(opened, [id, sealed])).rows[0].content, { a: 1 });
});

for (const level of ['read committed', 'repeatable read', 'serializable']) {
  test(`nobody wraps with the old key once it was replaced: ${level}`, async (t) => {
    const database = await cloneDatabase();
    const [writer, operator] = [await connect(t, database), await connect(t, database)];
    const id = await register(writer);
    await writer.query(`begin isolation level ${level}`);
    // From here on an older snapshot sees the key that was in force.
    await writer.query('select count(*) from audit.key_fingerprints');
    await operator.query(`select audit.replace_key('${newKey}')`);
    await assert.rejects(writer.query(seal, [id]), { code: level === 'read committed' ? 'KEYOT' : '40001' });
    await writer.query('rollback');
  });
}

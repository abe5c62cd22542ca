import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { provideStatementStatistics } from '../../tools/cluster/statement-statistics.ts';
import { asObjects, ask, withClient } from '../../tools/database.ts';
import { cloneDatabase } from '../support/database.ts';

test('what statements cost is told to hospital_monitor, of every role, without a word of a patient', async () => {
  const database = await cloneDatabase();
  const server = { url: (): string => database.url('postgres') };
  // Several callers at once, and again.
  await Promise.all([provideStatementStatistics(server, database.name), provideStatementStatistics(server, database.name)]);
  await provideStatementStatistics(server, database.name);

  const marker = 'Unmistakable';
  await withClient(database.url('hospital_owner'), async (owner) => {
    for (const statement of [
      `select count(*) from hospital.patients as p where p.family_name = '${marker}' /* ${marker} */`,
      `select 19800214 as "${marker}"`,
      `begin; declare c cursor for select p.id from hospital.patients as p where p.family_name = '${marker}'; fetch c; commit`,
      `copy (select p.id from hospital.patients as p where p.family_name = '${marker}') to stdout`,
      `explain select p.id from hospital.patients as p where p.family_name = '${marker}'`,
      `do $$ begin perform p.id from hospital.patients as p where p.family_name = '${marker}'; end $$`,
      `set infirmary.client_address = '${marker}'`,
    ]) {
      await owner.query(statement).catch(() => owner.query('rollback'));
    }
  });

  const rows = await withClient(database.url('hospital_monitor'), async (client) =>
    asObjects(await ask(client, 'select * from ops.statement_statistics')),
  );
  const counted = rows.find(({ statement }) => /^select count\(\*\) from hospital\.patients/.test(String(statement)));
  assert.equal(counted?.['login'], 'hospital_owner');
  assert.equal(counted?.['statement'], 'select count(*) from hospital.patients as p where p.family_name = ? ?');
  assert.ok(Number(counted?.['total_ms']) > 0);
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(`${marker}|19800214`, 'i'));
});

test('who may not make the extension leaves the view to say that it is missing', async () => {
  const database = await cloneDatabase();
  await provideStatementStatistics({ url: () => database.url('hospital_owner') }, database.name);
  const client = new Client({ connectionString: database.url('hospital_monitor') });
  await client.connect();
  try {
    const { rows } = await client.query('select statement, calls from ops.statement_statistics');
    assert.deepEqual(rows, [
      { statement: '(pg_stat_statements is not installed in this database: a superuser makes it with create extension)', calls: null },
    ]);
  } finally {
    await client.end();
  }
});

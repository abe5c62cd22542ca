import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, reset } from '../../tools/commands/sequences.ts';
import { ask, withClient } from '../../tools/database.ts';
import { cloneDatabase } from '../support/database.ts';

test('sequences behind their data are found and mended, for every table that has one', async () => {
  const database = await cloneDatabase({ seeded: true });
  const owner = database.url('hospital_owner');
  const uses = await check(owner);
  assert.deepEqual(
    uses.filter(({ isBehind }) => isBehind),
    [],
  );
  assert.ok(
    uses.some(({ sequence, column }) => sequence.endsWith('medical_record_numbers') && column === 'mrn'),
  );

  const identities = await withClient(owner, (client) =>
    ask(
      client,
      `select format('%I.%I', table_schema, table_name)
       from information_schema.columns
       where is_identity = 'YES'
         and table_schema not in ('graphile_worker', 'graphile_migrate')
         -- From 17 on a partition says so too; the sequence is its table's.
         and not (
           select relispartition
           from pg_class
           where oid = format('%I.%I', table_schema, table_name)::regclass
         )`,
    ),
  );
  const found = new Set(uses.map(({ table }) => table));
  assert.deepEqual(
    identities.rows.flat().filter((table) => !found.has(table as string)),
    [],
  );

  const used = uses.filter(({ highest }) => highest !== null);
  assert.ok(used.length > 15);
  await withClient(owner, async (client) => {
    for (const { sequence } of used) await ask(client, 'select setval($1::regclass, 1, false)', [sequence]);
  });
  const names = (list: typeof uses): string[] => list.map(({ table, column }) => `${table}.${column}`);
  const behind = (await check(owner)).filter(({ isBehind }) => isBehind);
  assert.deepEqual(names(behind), names(used));
  assert.deepEqual(
    (await reset(owner)).filter(({ isBehind }) => isBehind),
    [],
  );
  assert.deepEqual(await check(owner), uses);
});

test('a sequence ahead of its data is never set backwards', async () => {
  const database = await cloneDatabase();
  const owner = database.url('hospital_owner');
  await withClient(owner, (client) => ask(client, `select setval('hospital.patients_id_seq', 5000)`));
  const uses = await reset(owner);
  assert.equal(
    uses.find(({ table, column }) => table === 'hospital.patients' && column === 'id')?.next,
    '5001',
  );
});

test('a number from elsewhere that no sequence reaches does not count', async () => {
  const database = await cloneDatabase();
  const owner = database.url('hospital_owner');
  await withClient(owner, (client) =>
    ask(
      client,
      `insert into hospital.patients (mrn, given_name, family_name, date_of_birth, sex)
       values ('MR99999999999999999999999', 'From', 'Elsewhere', '1990-01-01', 'unknown'),
         ('MR00000070', 'From', 'Elsewhere', '1990-01-01', 'unknown')`,
    ),
  );
  const uses = await reset(owner);
  assert.deepEqual(
    uses
      .filter(({ column }) => column === 'mrn')
      .map(({ highest, next, isBehind }) => [highest, next, isBehind]),
    [['70', '71', false]],
  );
});

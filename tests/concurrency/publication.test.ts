import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, withClient } from '../../tools/database.ts';
import { cloneDatabase } from '../support/database.ts';
import { allAtOnce } from '../support/callers.ts';

test('workers that publish at once publish every period once', async () => {
  const database = await cloneDatabase({ seeded: true });
  const call = { login: 'hospital_worker' as const, sql: 'select ops.publish_aggregates()::integer as cells' };
  const outcomes = await allAtOnce(database, [call, call, call]);
  const cells = outcomes.map(({ row }) => row?.cells as number);
  const { rows } = await withClient(database.url('hospital_owner'), (client) =>
    ask(
      client,
      `select
         (select count(*)::integer from masked.published_appointments)
           + (select count(*)::integer from masked.published_diagnoses)`,
    ),
  );
  assert.ok(rows[0]![0] as number > 1000);
  // None fails, and what they say they wrote is what is there.
  assert.equal(cells.reduce((sum, count) => sum + count, 0), rows[0]![0]);
});

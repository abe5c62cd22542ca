import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { runOperations } from './operations.ts';
import { operationsOf, seedOf } from './random.ts';

describe('random operations', () => {
  let database: TestDatabase;
  const seed = seedOf();
  const count = operationsOf(10_000);

  before(async () => {
    database = await cloneDatabase();
  });
  after(() => database.drop());

  test(`end as the oracle says, ${count} times, and never leave two at one time`, async (t) => {
    t.diagnostic(`INFIRMARY_SEED=${seed}`);
    const counts: Record<string, number> = {};
    // Worlds of a thousand each, two at a time: of other zones, with the clocks changing or not.
    const runs = Array.from({ length: Math.ceil(count / 1000) }, (_, run) => run);
    const lane = async (): Promise<void> => {
      for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
        const share = Math.min(1000, count - run * 1000);
        for (const [way, times] of Object.entries(await runOperations(database, seed + run, share)))
          counts[way] = (counts[way] ?? 0) + times;
      }
    };
    await Promise.all([lane(), lane()]);
    t.diagnostic(JSON.stringify(counts));
    assert.ok(Object.keys(counts).length > 0);
  });
});

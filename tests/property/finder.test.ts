import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { checkWorld } from './finder.ts';
import { seedOf } from './random.ts';

const worlds = 30;

describe('the finder, the booker and the oracle', () => {
  let database: TestDatabase;
  let client: Client;
  const seed = seedOf();

  before(async () => {
    database = await cloneDatabase();
    client = new Client({ connectionString: database.url('postgres') });
    await client.connect();
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  test(`agree on every slot of ${worlds} random worlds, under any time zone of the session`, async (t) => {
    t.diagnostic(`INFIRMARY_SEED=${seed}`);
    const seen = { offered: 0, refused: 0 };
    for (let n = 0; n < worlds; n++) {
      // A world's seed is the first of a run of its own: that replays it alone.
      const { offered, refused } = await checkWorld(client, seed + n);
      seen.offered += offered;
      seen.refused += refused;
    }
    t.diagnostic(`${seen.offered} times offered and booked, ${seen.refused} not offered and refused`);
    assert.ok(seen.offered > 0 && seen.refused > 0);
  });
});

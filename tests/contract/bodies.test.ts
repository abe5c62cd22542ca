import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { cloneDatabase } from '../support/database.ts';

/*
 * Living files are deployed with check_function_bodies off, so that they may call one another in any
 * order. Here every body is checked, with everything there.
 */
test('Every function of ours can be created again with its body checked.', async () => {
  const database = await cloneDatabase();
  await withClient(database.url('hospital_owner'), async (client) => {
    await client.query(`select set_config('search_path', '', false)`);
    const { rows } = await client.query<{ name: string; definition: string }>(
      `select function.oid::regprocedure::text as name, pg_get_functiondef(function.oid) as definition
       from pg_proc as function
       join pg_namespace as namespace
         on namespace.oid = function.pronamespace
       where namespace.nspname in (
           'hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'
         )
         and function.prokind in ('f', 'p')`,
    );
    const problems: string[] = [];
    for (const { name, definition } of rows) {
      await client.query(definition).catch((error: Error) => problems.push(`${name}: ${error.message}`));
    }
    assert.ok(rows.length > 50);
    assert.deepEqual(problems, []);
  });
});

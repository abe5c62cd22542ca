import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { judge, runTap } from '../support/tap.ts';

/* What the tests stand on: a harness that calls a broken test passed would hide everything else. */

describe('A pgTAP file', () => {
  let database: TestDatabase;
  before(async () => {
    database = await cloneDatabase();
  });
  after(() => database.drop());

  const problemsOf = async (script: string): Promise<string> =>
    judge(await runTap(database, script, 'x.sql')).join('\n');

  test('passes when its tests do, also as a persona.', async () => {
    const script = `begin;
      select plan(3);
      select ok(true, 'a');
      set local role hospital_patient;
      select is(current_user::text, 'hospital_patient', 'b');
      select set_eq('select 1', array[1], 'c');
      reset role;
      select * from finish();
      rollback;`;
    assert.equal(await problemsOf(script), '');
  });

  test('fails with the line and the diagnosis of a test that fails.', async () => {
    const problems = await problemsOf(
      `select plan(1); select is(1, 2, 'One is two.'); select * from finish();`,
    );
    assert.match(problems, /not ok 1 - One is two\.\n#.*\n#\s+have: 1\n#\s+want: 2/);
  });

  test('fails when it runs fewer tests than it planned.', async () => {
    assert.match(await problemsOf(`select plan(2); select ok(true);`), /planned 2 tests and ran 1/);
  });

  test('fails when it dies half way, with the line of the error.', async () => {
    const problems = await problemsOf(`select no_plan();\nselect ok(true);\nselect 1 / 0;`);
    assert.match(problems, /died: x\.sql division by zero \(22012\)/);
    assert.match(
      await problemsOf(`select no_plan();\nselect okay(true);`),
      /died: x\.sql:2:8 function okay/,
    );
  });

  test('fails when it tests nothing or plans nothing.', async () => {
    assert.match(await problemsOf(`select no_plan(); select * from finish();`), /tests nothing/);
    assert.match(await problemsOf(`select ok(true);`), /died|plan\(\)/);
    assert.match(await problemsOf(''), /tests nothing/);
  });
});

test('Two clones do not see each other.', async () => {
  const [one, two] = await Promise.all([cloneDatabase(), cloneDatabase()]);
  await withClient(one.url('hospital_owner'), (client) =>
    client.query('create table hospital.only_here (id bigint)'),
  );
  const { rows } = await withClient(two.url('hospital_owner'), (client) =>
    client.query(`select to_regclass('hospital.only_here') as found`),
  );
  assert.equal(rows[0].found, null);
});

test('Nobody but the login roles of the hospital may connect to a clone.', async () => {
  const database = await cloneDatabase();
  const { rows } = await withClient(database.url('postgres'), (client) =>
    client.query(`select has_database_privilege('pg_monitor', current_database(), 'connect') as strangers`),
  );
  assert.equal(rows[0].strangers, false);
});

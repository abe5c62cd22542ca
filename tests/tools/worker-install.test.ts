import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { installWorker } from '../../tools/worker/install.ts';
import { startWorker } from '../../tools/worker/runner.ts';
import { emptyDatabase, type TestDatabase } from '../support/database.ts';

const install = (database: TestDatabase): Promise<void> =>
  installWorker(database.url('hospital_owner'), database.url('hospital_worker'));

/** Who owns the queue, and whether the worker may still create schemas. */
async function state(database: TestDatabase, before = 'select'): Promise<unknown> {
  const owner = new Client({ connectionString: database.url('hospital_owner') });
  await owner.connect();
  try {
    await owner.query(before);
    const { rows } = await owner.query(
      `select
         (select nspowner::regrole::text from pg_namespace where nspname = 'graphile_worker') as owner,
         has_database_privilege('hospital_worker', current_database(), 'create') as may_create`,
    );
    return rows[0];
  } finally {
    await owner.end();
  }
}

describe('installing the worker', { concurrency: 2 }, () => {
  test('gives its schema to hospital_worker, also from five callers at once, and leaves no right behind', async () => {
    const database = await emptyDatabase();
    await Promise.all([1, 2, 3, 4, 5].map(() => install(database)));
    assert.deepEqual(await state(database), { owner: 'hospital_worker', may_create: false });
    await install(database);
    assert.deepEqual(await state(database), { owner: 'hospital_worker', may_create: false });
  });

  test('takes back the right that an installation left when it died', async () => {
    const database = await emptyDatabase();
    await install(database);
    const grant = `grant create on database ${database.name} to hospital_worker`;
    assert.deepEqual(await state(database, grant), { owner: 'hospital_worker', may_create: true });
    await install(database);
    assert.deepEqual(await state(database), { owner: 'hospital_worker', may_create: false });
  });

  test('is asked for by a worker that finds no queue', async () => {
    const database = await emptyDatabase();
    await assert.rejects(startWorker(database.url('hospital_worker')), { remedy: /infirmary migrate/ });
  });
});

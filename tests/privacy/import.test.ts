import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { importSynthea } from '../../tools/import/run.ts';
import { cloneDatabase } from '../support/database.ts';
import { copyFixture, fixture } from '../support/synthea.ts';
import { searchEverywhere } from './person.ts';

/** What patients.csv says of the patient in its second line, and of nobody else. */
const values = ['Zoë12', 'Núñez34', '1960-05-17', 'X90000001X', 'S99900001', '4 Mill Street'];
const uuid = '0c000000-0000-4000-8000-000000000001';

test('an import does not bring back who was erased, whatever the files say of him now', async () => {
  const database = await cloneDatabase();
  const files = await copyFixture();
  const client = new Client({ connectionString: database.url('postgres') });
  await client.connect();
  try {
    const owner = database.url('hospital_owner');
    await importSynthea(owner, fixture);
    assert.notDeepEqual(await searchEverywhere(client, values), []);
    await client.query(`update hospital.retention_rules set kept_for = '0', minors_until_age = null`);
    await client.query(`select tests.staff('administrator', null, 'administrator@example.test')`);
    await client.query('begin');
    await client.query(`select tests.authenticate_as('administrator@example.test')`);
    await client.query(
      `select hospital.erase_patient(p.id, 'person_asked') from hospital.patients as p where p.public_uuid = $1`,
      [uuid],
    );
    await client.query('commit');
    assert.deepEqual(await searchEverywhere(client, values), []);

    await importSynthea(owner, fixture);
    assert.deepEqual(await searchEverywhere(client, values), [], 'the same files again');

    // Everything about the patient is new: other names, another encounter, words that nobody had read.
    await files.edit('patients', (text) =>
      text.replace('S99900001', 'S99900001-2').replace('4 Mill Street', '4 Mill Street North'),
    );
    await files.edit('encounters', (text) =>
      text
        .replace('0e000000-0000-4000-8000-000000000001', '0e000000-0000-4000-8000-0000000000f1')
        .replace('Acute viral pharyngitis (disorder)', 'Zoë12 Núñez34 has a cold'),
    );
    await importSynthea(owner, files.directory);
    assert.deepEqual(await searchEverywhere(client, values), [], 'changed files');
    const { rows } = await client.query(
      `select distinct record::text from staging.import_rejects where reason = 'erased_patient'`,
    );
    assert.deepEqual(rows, [{ record: '{}' }], 'the lines are counted, and what they say is not kept');
  } finally {
    await client.end();
    await files.dispose();
  }
});

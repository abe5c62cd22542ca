import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { importLock, importSynthea } from '../../tools/import/run.ts';
import type { Reason, Summary } from '../../tools/import/summary.ts';
import { cloneDatabase } from '../support/database.ts';
import { copyFixture, digestHospital, fixture, importFixture, rowsOf } from '../support/synthea.ts';

const counts = (summary: Summary): Record<string, number[]> =>
  Object.fromEntries(summary.files.map((f) => [f.file, [f.read, f.loaded, f.alreadyThere, f.rejected]]));

/** Reasons with their lines, in words that can be compared. */
const inWords = (reasons: Reason[]): string[] =>
  reasons.map(({ file, reason, lines }) => `${file} ${reason} ${lines.join(' ')}`).sort();

test('every line of every file is loaded, already there or rejected', async () => {
  const { url, summary } = await importFixture();
  assert.deepEqual(counts(summary), {
    organizations: [3, 2, 0, 1],
    providers: [3, 2, 0, 1],
    patients: [5, 2, 1, 2],
    encounters: [9, 4, 0, 5],
    conditions: [8, 3, 0, 5],
    medications: [7, 5, 0, 2],
    procedures: [5, 3, 0, 2],
  });
  assert.deepEqual(inWords(summary.rejects), [
    'conditions bad_code 9',
    'conditions encounter_of_another_patient 5',
    'conditions repeated_condition 4',
    'conditions stop_before_start 7',
    'conditions unknown_encounter 8',
    'encounters bad_date 9',
    'encounters bad_uuid 8',
    'encounters stop_before_start 6',
    'encounters unknown_patient 7',
    'encounters unknown_provider 10',
    'medications missing_value 8',
    'medications stop_before_start 7',
    'organizations unknown_state 4',
    'patients bad_date 4',
    'patients repeated_id 6',
    'procedures bad_number 5',
    'procedures missing_value 6',
    'providers unknown_organization 4',
  ]);
  assert.deepEqual(
    await rowsOf(
      url,
      `select field, record ->> 'birthdate'
       from staging.import_rejects
       where reason = 'bad_date' and file = 'patients'`,
    ),
    [['birthdate', '1990-02-30']],
  );
});

test('what is odd is loaded and remarked upon', async () => {
  const { summary } = await importFixture();
  assert.deepEqual(inWords(summary.remarks), [
    'conditions other_description 6',
    'medications other_description 4',
    'organizations implausible_phone 3',
    'patients shared_identifier 2 3 5',
    'procedures after_visit 3',
    'procedures missing_cost 4',
    'procedures other_description 3',
  ]);
});

test('the same export twice changes nothing, and a rehearsal never does', async () => {
  const url = (await cloneDatabase()).url('hospital_owner');
  const empty = await digestHospital(url);
  const rehearsal = await importSynthea(url, fixture, { isRehearsal: true });
  assert.deepEqual(await digestHospital(url), empty);
  assert.deepEqual(await rowsOf(url, 'select * from staging.import_runs'), []);

  const first = await importSynthea(url, fixture);
  assert.deepEqual(counts(rehearsal), counts(first));
  assert.deepEqual(rehearsal.rejects, first.rejects);
  const full = await digestHospital(url);

  const second = await importSynthea(url, fixture);
  assert.deepEqual(await digestHospital(url), full);
  for (const [index, file] of second.files.entries()) {
    const before = first.files[index]!;
    assert.equal(file.loaded, 0);
    assert.equal(file.alreadyThere, before.loaded + before.alreadyThere);
  }
  assert.deepEqual(second.rejects, first.rejects);
});

test('what changed since it was imported is refused, not doubled', async (t) => {
  const { url } = await importFixture();
  const before = await digestHospital(url);
  const later = await copyFixture();
  t.after(() => later.dispose());
  await later.edit('patients', (text) => text.replace('Zoë12', 'Zoe12'));
  await later.edit('providers', (text) => text.replace('Olaf9', 'Olav9'));
  await later.edit('medications', (text) =>
    text.replace('2020-03-01T02:20:00Z,,0c', '2020-03-01T02:20:00Z,2020-04-01T02:20:00Z,0c'),
  );
  const summary = await importSynthea(url, later.directory);
  // The unchanged repetition of Zoë's line is what the hospital has, so it is already there.
  assert.ok(inWords(summary.rejects).includes('patients repeated_id 2 6'));
  assert.ok(inWords(summary.rejects).includes('providers changed_since_import 3'));
  assert.ok(inWords(summary.rejects).includes('medications changed_since_import 5'));
  assert.deepEqual(await digestHospital(url), before);
});

test('a new line of an export imported before is loaded beside the old ones', async (t) => {
  const { url } = await importFixture();
  const later = await copyFixture();
  t.after(() => later.dispose());
  // The third of two equal lines.
  await later.edit('medications', (text) => `${text}${text.split('\n')[1]}\n`);
  const summary = await importSynthea(url, later.directory);
  const { loaded, alreadyThere } = summary.files.find(({ file }) => file === 'medications')!;
  assert.deepEqual([loaded, alreadyThere], [1, 5]);
});

test('a second import waits for the first, and says so', async () => {
  const url = (await cloneDatabase()).url('hospital_owner');
  const second = await withClient(url, async (first) => {
    await first.query(`select pg_advisory_lock(${importLock})`);
    let waiting: Promise<Summary> | undefined;
    const told = await new Promise<string>((resolve) => {
      waiting = importSynthea(url, fixture, { report: resolve });
    });
    assert.equal(told, 'Another import is running: waiting for it to finish.');
    assert.deepEqual(await rowsOf(url, 'select * from staging.import_runs'), []);
    await first.query(`select pg_advisory_unlock(${importLock})`);
    return (await waiting)!;
  });
  assert.equal(second.files.map((file) => file.loaded).reduce((a, b) => a + b), 21);
});

test('two imports at once load everything once', async () => {
  const url = (await cloneDatabase()).url('hospital_owner');
  const both = await Promise.all([importSynthea(url, fixture), importSynthea(url, fixture)]);
  const loaded = both.map((summary) => summary.files.map((file) => file.loaded).reduce((a, b) => a + b));
  assert.deepEqual(loaded.sort((a, b) => a - b), [0, 21]);
});

test('after an import the landing tables hold nobody any more', async () => {
  const { url } = await importFixture();
  assert.deepEqual(await rowsOf(url, 'select count(*) from staging.synthea_patients'), [['0']]);
});

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Failure } from '../../tools/failure.ts';
import { importSynthea } from '../../tools/import/run.ts';
import type { FileSummary, Summary } from '../../tools/import/summary.ts';
import { cloneDatabase } from '../support/database.ts';
import { copyFixture, digestHospital, type Export } from '../support/synthea.ts';

/** An encounter of the fixture, and its patient. */
const encounter = '0e000000-0000-4000-8000-000000000001';
const patient = '0c000000-0000-4000-8000-000000000001';

/** A database and an export of one test's own. */
async function prepare(t: TestContext): Promise<{ url: string; source: Export }> {
  const source = await copyFixture();
  t.after(() => source.dispose());
  return { url: (await cloneDatabase()).url('hospital_owner'), source };
}

const fileOf = (summary: Summary, name: string): FileSummary => summary.files.find(({ file }) => file === name)!;

const rejectsOf = (summary: Summary, name: string): string[] =>
  summary.rejects.filter(({ file }) => file === name).map(({ reason, lines }) => `${reason} ${lines.join(' ')}`);

test('CRLF, byte order marks and UTF-16 change nothing', async (t) => {
  const { url, source } = await prepare(t);
  await importSynthea(url, source.directory);
  const before = await digestHospital(url);
  await source.edit('patients', (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`);
  await source.edit('providers', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'));
  await source.edit('encounters', (text) => `${text.trimEnd()}\n\n  \n`);
  const summary = await importSynthea(url, source.directory);
  assert.deepEqual(await digestHospital(url), before);
  assert.equal(fileOf(summary, 'patients').alreadyThere, 3);
  assert.equal(fileOf(summary, 'providers').alreadyThere, 2);
  assert.equal(fileOf(summary, 'encounters').read, 9);
});

test('columns are found by name: older names, another order, fewer and more of them', async (t) => {
  const { url, source } = await prepare(t);
  await source.edit('patients', (text) => text.replace('Id,', 'ID,').replace(',INCOME', ',SHOE_SIZE'));
  await source.edit('procedures', () =>
    [
      'CODE,DESCRIPTION,DATE,ENCOUNTER,PATIENT',
      `399208008,Chest X-ray,2020-03-01T02:05:00Z,${encounter},${patient}`,
      `399208008,Chest X-ray,2020-03-01,${encounter},${patient}`,
    ].join('\n'),
  );
  const summary = await importSynthea(url, source.directory);
  assert.equal(fileOf(summary, 'patients').loaded, 2);
  assert.equal(fileOf(summary, 'procedures').loaded, 2);
});

test('a heading in the middle of a file begins another layout and is no line', async (t) => {
  const { url, source } = await prepare(t);
  await source.edit('procedures', (text) =>
    [
      text.trimEnd(),
      'DATE,PATIENT,ENCOUNTER,CODE,DESCRIPTION,COST',
      `2020-03-01T02:25:00Z,${patient},${encounter},168537006,Chest X-ray,7.50`,
      '',
    ].join('\n'),
  );
  const { read, loaded } = fileOf(await importSynthea(url, source.directory), 'procedures');
  assert.deepEqual([read, loaded], [6, 4]);
});

test('a stray quote, a cut line, another encoding and rubbish cost their line only', async (t) => {
  const { url, source } = await prepare(t);
  await source.edit('patients', (text) => {
    const lines = text.trimEnd().split('\n');
    const [heading, good] = lines as [string, string];
    const other = (id: string): string => good.replace('000000000001', id);
    return Buffer.concat([
      Buffer.from(`${heading}\n${other('000000000011').replace('Zoë12', '"Zoe')}\n`),
      Buffer.from(`${other('000000000012')}\n`),
      Buffer.from(`${other('000000000013')}\n`, 'latin1'),
      Buffer.from(`${other('000000000014').replace('Zoë', 'Z\0e')}\n`),
      Buffer.from([0x80, 0xff, 0x22, 0x2c, 0x0a]),
      Buffer.from(`${other('000000000015')}\n${other('000000000016').slice(0, 90)}`),
    ]);
  });
  const summary = await importSynthea(url, source.directory);
  const { read, loaded, rejected } = fileOf(summary, 'patients');
  assert.deepEqual([read, loaded, rejected], [7, 2, 5]);
  assert.deepEqual(rejectsOf(summary, 'patients'), ['wrong_encoding 4 5 6', 'malformed_csv 2', 'wrong_column_count 8']);
});

test('a file that is missing is said to be missing, and the others are loaded', async (t) => {
  const { url, source } = await prepare(t);
  await source.remove('medications');
  const summary = await importSynthea(url, source.directory);
  assert.equal(fileOf(summary, 'medications').isPresent, false);
  assert.equal(fileOf(summary, 'procedures').loaded, 3);
});

test('files without the right heading are all named before anything is loaded', async (t) => {
  const { url, source } = await prepare(t);
  const before = await digestHospital(url);
  await source.edit('patients', (text) => text.replace('BIRTHDATE', 'BORN'));
  await source.edit('encounters', () => Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0xfe, 0x22, 0x0a, 0x2c]));
  await source.edit('conditions', () => '');
  await assert.rejects(importSynthea(url, source.directory), (error: unknown) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /patients\.csv: the first line is not a heading with BIRTHDATE/);
    assert.match(error.message, /encounters\.csv: the first line is not a heading/);
    assert.match(error.message, /conditions\.csv: it is empty/);
    return true;
  });
  assert.deepEqual(await digestHospital(url), before);
});

test('a folder that is not there, is a file, or holds no export is refused with a remedy', async (t) => {
  const { url, source } = await prepare(t);
  const refused = { name: 'Failure', remedy: /^Name the folder/ };
  await assert.rejects(importSynthea(url, `${source.directory}/nowhere`), refused);
  await assert.rejects(importSynthea(url, `${source.directory}/patients.csv`), refused);
  await assert.rejects(importSynthea(url, import.meta.dirname), refused);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { before, test } from 'node:test';
import { readCatalogue } from '../../tools/queries/catalogue.ts';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
before(async () => {
  database = await cloneDatabase({ seeded: true });
});

function queries(...args: string[]): Promise<{ code: number; printed: string; told: string }> {
  const env = { PATH: process.env.PATH, DATABASE_URL: database.url('hospital_owner') };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(projectFolder, 'tools/cli.ts'), 'queries', ...args], { env }, (error, printed, told) =>
      resolve({ code: Number(error?.code ?? 0), printed, told }),
    );
  });
}

test('without a name all are listed, for people and for programs', async () => {
  const catalogue = await readCatalogue();
  const { code, printed } = await queries();
  assert.equal(code, 0);
  const text = printed.replaceAll(/\s+/g, ' ');
  for (const { number, name, question, technique } of catalogue)
    assert.ok(text.includes(`${number} ${name} ${question} ${technique}`), name);
  for (const line of printed.split('\n')) assert.ok([...line].length <= 100, line);
  const listed = JSON.parse((await queries('--json')).printed) as { queries: unknown[] };
  assert.deepEqual(listed.queries, catalogue);
});

test('one is asked: its heading is told, its rows are printed', async () => {
  const { code, printed, told } = await queries('late-starts');
  assert.equal(code, 0);
  assert.match(told, /How late do consultations begin.*\n(?:.*\n)*.*width_bucket/);
  assert.match(printed, /^ minutes_late +\| visits/);
  assert.match(printed, /\(14 rows\)\n$/);
  const { rows } = JSON.parse((await queries('23', '--json')).printed) as { rows: Record<string, unknown>[] };
  assert.equal(rows.length, 14);
  assert.equal(rows[0]!.minutes_late, 'before its time');
});

test('one is explained, with what was read', async () => {
  const { printed } = await queries('next-page-of-patients', '--explain');
  assert.match(printed, /actual time/);
  assert.doesNotMatch(printed, /^ family_name/m);
  const { plan } = JSON.parse((await queries('6', '--explain', '--json')).printed) as { plan: string[] };
  assert.ok(plan.some((line) => line.includes('patients_family_name_given_name_idx')));
});

test('a query there is not, and a time that is none, are wrong usage', async () => {
  const unknown = await queries('nonsense');
  assert.deepEqual([unknown.code, unknown.printed], [2, '']);
  assert.match(unknown.told, /There is no query "nonsense"/);
  for (const seconds of ['0', 'x', '-1', '1.5']) assert.equal((await queries('1', '--seconds', seconds)).code, 2, seconds);
});

test('a warehouse that was never loaded is said to be so', async () => {
  const { code, printed, told } = await queries('few-need-much');
  assert.equal(code, 0);
  assert.match(printed, /\(0 rows\)/);
  assert.match(told, /infirmary etl run/);
});

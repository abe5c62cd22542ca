import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { work } from '../../tools/commands/report.ts';
import { REPORTS } from '../../tools/reports/catalogue.ts';
import { projectFolder } from '../../tools/settings.ts';
import { addStaff, furnish, PASSWORD } from '../api/support/hospital.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { testSettings } from '../support/server.ts';

const report = (name: string) => REPORTS.find((kind) => kind.name === name)!;
const OCTOBER = { from: '2025-10-01', to: '2025-10-31', department: null };

describe('infirmary report', { concurrency: 1 }, () => {
  let database: TestDatabase;
  let owner: Client;
  const folder = mkdtempSync(path.join(tmpdir(), 'infirmary-report-'));
  const file = (name: string): string => path.join(folder, name);
  const settings = () => ({ ...testSettings(), database: database.name });
  const doctor = { email: 'doctor1@test.example', password: PASSWORD };

  before(async () => {
    database = await cloneDatabase();
    owner = new Client({ connectionString: database.url('hospital_owner') });
    await owner.connect();
    const hospital = await furnish(owner, { doctors: 2, patients: 1 });
    await addStaff(owner, hospital, 'auditor', 'auditor');
    await owner.query(
      `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
       select $1, d, $2, '2025-10-01T10:00:00Z', 'completed' from unnest($3::bigint[]) as d`,
      [hospital.patients[0]!.id, hospital.typeId, hospital.doctors.map(({ id }) => id)],
    );
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await owner.end();
    await database.drop();
  });

  test('writes what the reader may see, in a file that is only his who asked, and logs out', async () => {
    await work(settings(), report('appointments'), OCTOBER, doctor, 'csv', file('a.csv'));
    const lines = readFileSync(file('a.csv'), 'utf8').trimEnd().split('\r\n');
    assert.equal(lines.length, 2);
    assert.match(lines[1]!, /^2025-10-01,10:00,Test Hospital,Cardiology,Doctor Number 1,/);
    assert.equal(statSync(file('a.csv')).mode & 0o077, 0);
    await work(settings(), report('appointments'), OCTOBER, doctor, 'pdf', file('a.pdf'));
    assert.equal(readFileSync(file('a.pdf')).subarray(0, 5).toString(), '%PDF-');
    const { rows } = await owner.query('select count(*) filter (where revoked_at is null)::integer as open, count(*)::integer as all from hospital_private.sessions');
    assert.deepEqual(rows, [{ open: 0, all: 2 }]);
  });

  test('opens the audit for an auditor who says why, and for nobody else', async () => {
    const auditor = { email: 'auditor@test.example', password: PASSWORD };
    await assert.rejects(work(settings(), report('accesses'), OCTOBER, auditor, 'csv', file('b.csv')), { code: 'NOPEN' });
    await work(settings(), report('accesses'), OCTOBER, { ...auditor, reason: 'Yearly review of accesses.' }, 'csv', file('b.csv'));
    const { rows } = await owner.query('select reason from audit.audit_openings');
    assert.deepEqual(rows, [{ reason: 'Yearly review of accesses.' }]);
    await assert.rejects(work(settings(), report('accesses'), OCTOBER, { ...doctor, reason: 'Curious, nothing else.' }, 'csv', file('c.csv')), {
      code: '42501',
    });
  });

  test('leaves no file, finished or not, of what is refused', async () => {
    await assert.rejects(work(settings(), report('appointments'), OCTOBER, { ...doctor, password: 'wrong' }, 'csv', file('d.csv')), /do not open an account/);
    await assert.rejects(work(settings(), report('billing'), OCTOBER, doctor, 'csv', file('d.csv')), { code: '42501' });
    await assert.rejects(work(settings(), report('diagnoses'), OCTOBER, doctor, 'pdf', file('d.csv')), { code: 'NOPEN' });
    assert.ok(!existsSync(file('d.csv')));
    assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.unfinished')), []);
  });

  test('says with exit code 2 what it was not told, and of occupancy and stock what they wait for', () => {
    const run = (...words: string[]) =>
      spawnSync(process.execPath, ['tools/cli.ts', 'report', ...words], {
        cwd: projectFolder,
        encoding: 'utf8',
        env: { ...process.env, INFIRMARY_PASSWORD: 'x' },
      });
    const complete = ['--as', 'a@b.example', '--from', '2025-10-01', '--to', '2025-10-31', '--out', file('e.csv')];
    for (const [words, said] of [
      [['appointments'], /--as/],
      [['occupancy', ...complete], /comes with admissions and beds/],
      [['stock', ...complete], /comes with the pharmacy/],
      [['salaries', ...complete], /Reports are: appointments, diagnoses/],
      [['appointments', ...complete.slice(0, -1), file('e.doc')], /--format/],
      [['appointments', ...complete, '--department', 'x'], /no key/],
    ] as const) {
      const { status, stderr } = run(...words);
      assert.equal(status, 2, stderr);
      assert.match(stderr, said);
    }
  });
});

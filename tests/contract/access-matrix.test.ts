import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { MATRIX_FILE, matrixText, parseMatrix, type Matrix } from '../../tools/docs/access-matrix.ts';
import { cloneDatabase } from '../support/database.ts';
import { measureMatrix, type Measurement } from '../support/matrix.ts';

/* Who may do what in SQL, measured; tests/api/access-matrix.test.ts asks the same over the API. */

const REMEDY = 'If it is meant: WRITE_ACCESS_MATRIX=1 npm test -- contract/access-matrix, then read the difference.';

describe('The access matrix', () => {
  let expected: Matrix;
  let measured: Measurement;
  before(async () => {
    measured = await measureMatrix(await cloneDatabase());
    if (process.env.WRITE_ACCESS_MATRIX) await writeFile(MATRIX_FILE, matrixText(measured));
    expected = parseMatrix(await readFile(MATRIX_FILE, 'utf8').catch(() => ''));
  });

  test('is measured on rows of every kind.', () => {
    assert.equal(measured.missing.join('\n'), '', 'Give tests.world() (tests/support/50-world.sql) such a row.');
  });

  test('says what each role can do with the rows of each table and which functions it may call, and no more.', () => {
    assert.equal(differences(expected, measured).join('\n'), '', REMEDY);
  });

  test('sees a new table, a new function, a right too many and a kind of row that is not there.', async () => {
    const database = await cloneDatabase();
    await withClient(database.url('hospital_owner'), (client) =>
      client.query(
        `create table hospital.probe (patient_id bigint);
         create function hospital.probe_it() returns integer language sql immutable as 'select 1';
         create policy probe on hospital.rooms for delete to hospital_nurse
         using (department_id = (select hospital_private.current_department_id()));
         grant delete on hospital.rooms to hospital_nurse;
         grant usage on schema audit to hospital_auditor;
         grant select on audit.chart_accesses to hospital_auditor;
         revoke select on hospital.patients from hospital_nurse;`,
      ),
    );
    const other = await measureMatrix(database);
    assert.deepEqual(differences(measured, other), [
      'audit.chart_accesses is not in the matrix.',
      'hospital.patients should be:  select nurse: department',
      'hospital.probe is not in the matrix.',
      'hospital.rooms is:  delete nurse: department',
      'hospital.probe_it is not in the matrix.',
    ]);
    assert.deepEqual(other.missing, ['hospital.probe: no row (any)']);
  });
});

/** Line by line: what is expected and not found, what is found and not expected. */
function differences(expected: Matrix, measured: Matrix): string[] {
  return [
    ...differencesOf(expected.tables, measured.tables),
    ...differencesOf(listed(expected.functions), listed(measured.functions)),
  ];
}

function differencesOf(expected: Map<string, string[]>, measured: Map<string, string[]>): string[] {
  return [...new Set([...expected.keys(), ...measured.keys()])].sort().flatMap((name) => {
    const [wanted, found] = [expected.get(name), measured.get(name)];
    if (!wanted) return [`${name} is not in the matrix.`];
    if (!found) return [`${name} is in the matrix and nowhere else.`];
    return [
      ...wanted.filter((line) => !found.includes(line)).map((line) => `${name} should be:${line}`),
      ...found.filter((line) => !wanted.includes(line)).map((line) => `${name} is:${line}`),
    ];
  });
}

function listed(functions: Matrix['functions']): Map<string, string[]> {
  return new Map([...functions].map(([name, roles]) => [name, [`  called by ${roles.join(', ') || 'nobody'}`]]));
}

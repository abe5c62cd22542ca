import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { importSynthea } from '../../tools/import/run.ts';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase } from '../support/database.ts';
import { digestHospital } from '../support/synthea.ts';

/*
 * Real exports are too large to keep here: the two public ones these numbers are of are looked for in the
 * folder that INFIRMARY_EXPORTS names, or else beside the project. Without them the tests are skipped.
 */
const exports = process.env.INFIRMARY_EXPORTS ?? path.join(projectFolder, '../shared/data');

const expected: Record<string, Record<string, [loaded: number, rejected: number]>> = {
  synthea: {
    organizations: [215, 0],
    providers: [215, 0],
    patients: [111, 0],
    encounters: [7584, 0],
    conditions: [4428, 0],
    // Two lines end before they begin.
    medications: [6122, 2],
    procedures: [11742, 0],
  },
  synthea_small: {
    organizations: [63, 0],
    providers: [166, 0],
    patients: [27, 0],
    encounters: [604, 0],
    conditions: [438, 0],
    medications: [663, 0],
    procedures: [249, 0],
  },
};

for (const [name, files] of Object.entries(expected)) {
  const directory = path.resolve(exports, name);
  const skip = existsSync(directory) ? false : `there is no ${name}/ in INFIRMARY_EXPORTS or beside the project`;
  test(`the export ${name} is loaded whole, and again changes nothing`, { skip }, async () => {
    const url = (await cloneDatabase()).url('hospital_owner');
    const first = await importSynthea(url, directory);
    assert.deepEqual(Object.fromEntries(first.files.map((f) => [f.file, [f.loaded, f.rejected]])), files);
    const before = await digestHospital(url);
    const second = await importSynthea(url, directory);
    assert.deepEqual(await digestHospital(url), before);
    assert.equal(second.files.every((f) => f.loaded === 0), true);
  });
}

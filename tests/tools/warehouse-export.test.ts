import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { run, verify } from '../../tools/commands/etl.ts';
import { importSynthea } from '../../tools/import/run.ts';
import { projectFolder, readSettings } from '../../tools/settings.ts';
import { cloneDatabase } from '../support/database.ts';
import { fixture, rowsOf } from '../support/synthea.ts';

/* What the warehouse counts is what the files say, counted here without the database. */
const exports = process.env.INFIRMARY_EXPORTS ?? path.join(projectFolder, '../shared/data');
const directories = [fixture, path.resolve(exports, 'synthea'), path.resolve(exports, 'synthea_small')];

type Line = Record<string, string>;

/** The lines of a file but for those the import refused. */
function linesOf(directory: string, file: string, refused: ReadonlySet<string>): Line[] {
  const text = readFileSync(path.join(directory, `${file}.csv`));
  const lines: Line[] = parse(text, { columns: true, relax_column_count: true, relax_quotes: true, bom: true });
  return lines.filter((_, index) => !refused.has(`${file} ${index + 2}`));
}

function countBy(keys: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

for (const directory of directories) {
  const name = path.basename(directory);
  const skip = existsSync(directory) ? false : `there is no ${name}/ in INFIRMARY_EXPORTS or beside the project`;
  test(`the warehouse counts what the export ${name} says, by year, department and diagnosis`, { skip }, async () => {
    const url = (await cloneDatabase()).url('hospital_owner');
    await importSynthea(url, directory);
    const settings = readSettings({ ...process.env, DATABASE_URL: url });
    assert.ok((await run(settings, false)).rows > 0);
    assert.deepEqual((await verify(settings)).differences, []);
    const count = async (query: string): Promise<[string, number][]> =>
      (await rowsOf(url, query)).map(([key, rows]): [string, number] => [String(key), Number(rows)]).sort(([a], [b]) => (a < b ? -1 : 1));

    const refused = new Set((await rowsOf(url, `select file || ' ' || line from staging.import_rejects`)).map(String));
    const zones = new Map(
      (await rowsOf(url, 'select public_uuid, time_zone from hospital.facilities')).map(([id, zone]) => [String(id), String(zone)]),
    );
    const providers = new Map(linesOf(directory, 'providers', refused).map((line) => [line.Id!, line]));
    const encounters = linesOf(directory, 'encounters', refused);
    const placeOf = ({ ORGANIZATION, PROVIDER }: Line): string => ORGANIZATION || providers.get(PROVIDER!)!.ORGANIZATION!;
    const yearAt = (text: string, place: string): string =>
      text.includes('T')
        ? new Intl.DateTimeFormat('en', { year: 'numeric', timeZone: zones.get(place)! }).format(new Date(text))
        : text.slice(0, 4);
    const departmentOf = ({ PROVIDER }: Line): string => {
      const specialty = providers.get(PROVIDER!)!.SPECIALITY!;
      return specialty.charAt(0).toUpperCase() + specialty.slice(1).toLowerCase();
    };
    assert.ok(encounters.length > 0);
    assert.deepEqual(
      await count(
        `select format('%s %s %s', extract(year from v.visited_on), f.public_uuid, d.name), count(*)
         from warehouse.fact_visits as v
         join warehouse.dim_department as d using (department_key)
         join hospital.facilities as f on f.id = d.facility_id
         group by 1`,
      ),
      countBy(encounters.map((e) => `${yearAt(e.START!, placeOf(e))} ${placeOf(e)} ${departmentOf(e)}`)),
    );

    const conditions = linesOf(directory, 'conditions', refused);
    const placeOfEncounter = new Map(encounters.map((e) => [e.Id!, placeOf(e)]));
    assert.deepEqual(
      await count(
        `select format('%s %s', extract(year from c.onset_on), d.code), count(*)
         from warehouse.fact_conditions as c join warehouse.dim_diagnosis as d using (diagnosis_key) group by 1`,
      ),
      countBy(conditions.map((c) => `${yearAt(c.START!, placeOfEncounter.get(c.ENCOUNTER!) ?? '')} ${c.CODE}`)),
    );
    assert.deepEqual(
      await count(
        `select format('%s %s', extract(year from f.diagnosed_on), d.code), count(*)
         from warehouse.fact_diagnoses as f join warehouse.dim_diagnosis as d using (diagnosis_key) group by 1`,
      ),
      await count(
        `select format('%s %s', extract(year from v.started_at at time zone f.time_zone), c.code), count(*)
         from hospital.visit_diagnoses as d
         join hospital.diagnosis_codes as c on c.id = d.diagnosis_code_id
         join hospital.visits as v on v.id = d.visit_id
         join hospital.appointments as a on a.id = v.appointment_id
         join hospital.departments as p on p.id = a.department_id
         join hospital.facilities as f on f.id = p.facility_id
         group by 1`,
      ),
    );
  });
}

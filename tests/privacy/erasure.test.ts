import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { makePerson, marker, searchEverywhere, valuesOf } from './person.ts';

/** One line of a certificate. */
interface Line {
  relation: string;
  data_class: string;
  outcome: string;
  column_names: string[];
  row_count: string;
}

describe('a person who was erased', { concurrency: 1 }, () => {
  let database: TestDatabase;
  let admin: Client;
  let person: number;
  let values: string[];
  let found: string[];
  let lines: Line[];

  before(async () => {
    database = await cloneDatabase();
    admin = new Client({ connectionString: database.url('postgres') });
    await admin.connect();
    person = await makePerson(admin);
    values = await valuesOf(admin, person);
    found = await searchEverywhere(admin, values);
    await admin.query('begin');
    await admin.query(`select tests.authenticate_as('administrator@example.test')`);
    const { rows } = await admin.query<{ id: string }>(
      `select (hospital.erase_patient($1, 'person_asked')).id`,
      [person],
    );
    await admin.query('commit');
    const answer = await admin.query<Line>(
      `select relation, data_class, outcome, column_names, row_count
       from hospital.erasure_lines
       where erasure_id = $1`,
      [rows[0]!.id],
    );
    lines = answer.rows;
  });
  after(() => admin.end());

  test('stood in every table that is searched, and the marker in every free text', async () => {
    for (const value of values) assert.ok(found.some((place) => place.endsWith(`: ${value}`)), value);
    const { rows } = await admin.query<{ relation: string }>(
      `select distinct c.relation
       from hospital_private.personal_columns as c
       where c.class = 'free_text'
         and c.patient_column = 'patient_id'`,
    );
    for (const { relation } of rows) assert.ok(found.includes(`${relation}: ${marker}`), relation);
  });

  test('is found nowhere: in no column of no table of no schema', async () => {
    assert.deepEqual(await searchEverywhere(admin, values), []);
  });

  test('is not in the statistics of the planner either, once they are made anew', async () => {
    await admin.query('vacuum (analyze)');
    const { rows } = await admin.query(
      `select s.schemaname, s.tablename, s.attname, v.value
       from pg_catalog.pg_stats as s
       cross join unnest($1::text[]) as v (value)
       where position(v.value in concat(s.most_common_vals::text, s.histogram_bounds::text)) > 0`,
      [values],
    );
    assert.deepEqual(rows, []);
  });

  test('has a certificate of every column of every table', async () => {
    const { rows } = await admin.query<{ name: string }>(
      `select format('%s.%s', c.relation, c.column_name) as name
       from hospital_private.personal_columns as c`,
    );
    const told = lines.flatMap(({ relation, column_names }) => column_names.map((name) => `${relation}.${name}`));
    assert.deepEqual(told.sort(), rows.map(({ name }) => name).sort());
  });

  test('has a certificate that counts what was and what was not touched', async () => {
    const of = (relation: string, outcome: string): number =>
      Number(lines.find((line) => line.relation === relation && line.outcome === outcome)?.row_count ?? -1);
    assert.equal(of('hospital.patients', 'erased'), 2);
    assert.equal(of('hospital.contact_points', 'deleted'), 4);
    assert.equal(of('hospital.patient_identifiers', 'deleted'), 2);
    assert.equal(of('hospital.visits', 'erased'), 1);
    assert.ok(of('hospital.visit_versions', 'erased') >= 3);
    assert.ok(of('audit.entries', 'shredded') > 10);
    assert.equal(of('hospital.departments', 'not_about_patients'), 0);
    for (const { relation, outcome, row_count } of lines) {
      if (outcome === 'not_about_patients' || relation === 'hospital.erasures') continue;
      const { rows } = await admin.query<{ rows_of: string; is_deleted: boolean }>(
        'select rows_of, is_deleted from hospital_private.person_tables where relation = $1',
        [relation],
      );
      const target = rows[0]!;
      if (target.is_deleted || relation.startsWith('staging') || relation === 'audit.entries') continue;
      const count = await admin.query<{ count: string }>(
        `select count(*) from ${relation} as t
         where ${target.rows_of.replaceAll('$1', `hospital_private.records_of_person(${person})`)}`,
      );
      assert.equal(row_count, count.rows[0]!.count, relation);
    }
  });

  test('leaves an audit that still holds, every seal of it', async () => {
    await admin.query('set role hospital_owner');
    await admin.query('select audit.seal_entries()');
    assert.deepEqual((await admin.query('select * from audit.verify()')).rows, []);
    await admin.query('reset role');
  });

  test('keeps what was done: visits, medicines and treatments stand without a name', async () => {
    const { rows } = await admin.query(
      `select v.diagnosis, v.doctor_id is not null as by_doctor, p.dosage, p.medication_id is not null as medicine,
         t.cost, o.given_name, o.family_name, extract(month from o.date_of_birth) as month
       from hospital.visits as v
       join hospital.patients as o on o.id = v.patient_id
       join hospital.prescriptions as p on p.visit_id = v.id
       join hospital.treatments as t on t.visit_id = v.id
       where v.patient_id = $1`,
      [person],
    );
    assert.deepEqual(rows, [
      {
        diagnosis: '[erased]',
        by_doctor: true,
        dosage: '[erased]',
        medicine: true,
        cost: '120.00',
        given_name: '[erased]',
        family_name: '[erased]',
        month: '1',
      },
    ]);
  });
});

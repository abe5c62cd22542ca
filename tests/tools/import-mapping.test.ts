import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSynthea } from '../../tools/import/run.ts';
import { cloneDatabase } from '../support/database.ts';
import { fixture, importFixture, rowsOf } from '../support/synthea.ts';

test('people and places arrive as the hospital keeps them', async () => {
  const { url } = await importFixture();
  assert.deepEqual(
    await rowsOf(url, 'select name, time_zone, address, phone from hospital.facilities order by id'),
    [
      ['PLATTE RIVER HOSPITAL', 'America/Chicago', '1 RIVER ROAD, KEARNEY, NE 688450001', '3085550100'],
      ['HARBOR CLINIC, INC', 'America/New_York', '2 QUAY STREET, BOSTON, Massachusetts 02110', null],
    ],
  );
  assert.deepEqual(
    await rowsOf(
      url,
      `select m.given_name, m.family_name, d.specialization, p.name, d.is_active, d.practising_since
       from hospital.doctors as d
       join hospital.staff_members as m on m.id = d.staff_member_id
       join hospital.departments as p on p.id = m.department_id
       order by d.id`,
    ),
    [
      ['Ana María12', 'Ruiz34', 'General practice', 'General practice', true, '2019-07-07'],
      ['Olaf9', 'Holm8', 'Diving medicine', 'Diving medicine', true, '2019-07-04'],
    ],
  );
  assert.deepEqual(
    await rowsOf(
      url,
      `select p.given_name, p.family_name, p.date_of_birth, p.sex, p.deceased_on, c.value
       from hospital.patients as p
       join hospital.contact_points as c on c.patient_id = p.id
       order by p.id`,
    ),
    [
      ['Zoë12', "O'Brien Núñez34", '1960-05-17', 'female', null, '4 Mill Street, Kearney, Nebraska 68845'],
      ['Karl5', 'Berg6', '1931-01-02', 'male', '2021-03-04', '5 Mill Street, Kearney, Nebraska 68845'],
    ],
  );
  assert.deepEqual(
    await rowsOf(url, 'select patient_id, system, value from hospital.patient_identifiers order by id'),
    [
      ['1', 'ssn', '999-00-0001'],
      ['1', 'drivers_license', 'S99900001'],
      ['1', 'passport', 'X90000001X'],
      ['2', 'ssn', '999-00-0001'],
    ],
  );
});

test('instants are UTC, days are local, and overlapping encounters are history', async () => {
  const { url } = await importFixture();
  assert.deepEqual(
    await rowsOf(
      url,
      `select v.started_at, v.ended_at, a.ends_at - a.starts_at, a.status, v.diagnosis
       from hospital.visits as v join hospital.appointments as a on a.id = v.appointment_id
       order by v.id`,
    ),
    [
      ['2020-03-01 02:00:00+00', '2020-03-01 02:30:00+00', '00:30:00', 'completed', 'Acute viral pharyngitis (disorder)'],
      ['2020-03-01 02:15:00+00', '2020-06-09 02:45:00+00', '100 days 00:30:00', 'completed', 'Encounter for problem'],
      ['2019-07-04 15:00:00+00', '2019-07-04 15:00:00+00', '00:15:00', 'completed', 'Encounter for check up'],
      ['2019-07-05 15:00:00+00', null, '00:15:00', 'completed', 'Encounter for check up'],
    ],
  );
  assert.deepEqual(
    await rowsOf(
      url,
      `select c.code, h.onset_on, h.abated_on, v.rank
       from hospital.patient_conditions as h
       join hospital.diagnosis_codes as c on c.id = h.diagnosis_code_id
       join hospital.visit_diagnoses as v on v.visit_id = h.visit_id and v.diagnosis_code_id = c.id
       order by h.id`,
    ),
    [
      ['195662009', '2020-02-29', '2020-03-10', 1],
      ['10509002123456789', '2020-02-29', null, 2],
      ['195662009', '2020-02-29', null, 1],
    ],
  );
  assert.deepEqual(
    await rowsOf(
      url,
      `select m.code, p.start_date, p.duration_days, p.dosage
       from hospital.prescriptions as p join hospital.medications as m on m.id = p.medication_id
       order by p.id`,
    ),
    [
      ['308192', '2020-02-29', 14, 'As directed'],
      ['308192', '2020-02-29', 14, 'As directed'],
      ['308192', '2020-02-29', 21, 'As directed'],
      ['314076', '2020-02-29', null, 'As directed'],
      ['106892', '2020-02-29', 1, 'As directed'],
    ],
  );
});

test('codes keep their first description, and costs their cents', async () => {
  const { url } = await importFixture();
  assert.deepEqual(
    await rowsOf(
      url,
      `select t.type, y.code, t.cost
       from hospital.treatments as t
       join hospital.treatment_types as y on y.name = t.type
       order by t.id`,
    ),
    [
      ['Plain chest X-ray (procedure)', '399208008', '3670278.75'],
      ['Plain chest X-ray (procedure)', '399208008', '10.01'],
      ['Plain chest X-ray (procedure) [168537006]', '168537006', '0.00'],
    ],
  );
});

test('what the hospital has under the same name is used, and keeps its words', async () => {
  const url = (await cloneDatabase()).url('hospital_owner');
  await rowsOf(
    url,
    `insert into hospital.treatment_types (name) values ('Chest X-ray');
     insert into hospital.medications (code, name) values ('308192', 'Amoxicillin 500 mg tablet');
     insert into hospital.specialties (name, description) values ('Diving-Medicine', 'Under water.')`,
  );
  await importSynthea(url, fixture);
  assert.deepEqual(
    await rowsOf(url, `select type from hospital.treatments order by id limit 2`),
    [['Plain chest X-ray (procedure)'], ['Chest X-ray']],
  );
  assert.deepEqual(await rowsOf(url, `select name from hospital.medications where code = '308192'`), [
    ['Amoxicillin 500 mg tablet'],
  ]);
  assert.deepEqual(await rowsOf(url, `select name from hospital.specialties where name ~ 'iving'`), [
    ['Diving-Medicine'],
  ]);
});

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, send, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, tokenFor, type Hospital } from './support/hospital.ts';
import { fillRecord } from './support/record.ts';

describe('a patient at a glance', () => {
  let api: TestApi;
  let hospital: Hospital;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 2, patients: 2 });
    await fillRecord(api, hospital, 0, 'Albatross', 24);
    await api.owner.query(
      `with code as (
         insert into hospital.diagnosis_codes (system, code, description) values ('icd10cm', 'E11.22', 'Kidneys') returning id
       )
       insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on) select $1, id, '2019-06-01' from code`,
      [hospital.patients[0]!.id],
    );
  });

  test('is the patient’s own, with what is on record', async () => {
    const token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    const { patientInsight: found } = await api.call('patientInsight', { patientId: hospital.patients[0]!.id }, token);
    assert.equal(found.visits, '1');
    assert.deepEqual(found.visitsByYear, [{ year: Number(found.lastVisitOn.slice(0, 4)), visits: '1' }]);
    assert.deepEqual(found.diagnoses[0], {
      category: 'I10',
      description: 'A diagnosis',
      firstOn: '2020-01-01',
      lastOn: found.lastVisitOn,
      visits: '1',
      isLasting: true,
    });
    assert.deepEqual(
      [found.treatments, found.treatmentsCost, found.charlsonScore, found.medicines[0].dosage],
      ['1', '80.00', 2, 'Albatross 5 mg'],
    );
    const { charlsonIndex } = await api.call(
      'charlsonIndex',
      { patientId: hospital.patients[0]!.id, asOf: '2030-01-01' },
      token,
    );
    assert.deepEqual(charlsonIndex, {
      asOf: '2030-01-01',
      score: 2,
      ageYears: 50,
      ageAdjustedScore: 3,
      comorbidities: ['Diabetes with chronic complication'],
    });
  });

  test('is refused to everybody who may not read the record', async () => {
    const variables = { patientId: hospital.patients[0]!.id };
    const administrator = await addStaff(api.owner, hospital, 'administrator', 'administrator');
    for (const [person, role, code] of [
      [hospital.patients[1]!, 'patient', 'NOT_FOUND'],
      [hospital.doctors[1]!, 'doctor', 'NOT_FOUND'],
      [administrator, 'administrator', 'FORBIDDEN'],
    ] as const) {
      const token = await tokenFor(api.owner, person, role);
      for (const name of ['patientInsight', 'charlsonIndex']) {
        const answer = await send(api.url, { documentId: name, variables }, token);
        assert.deepEqual([codes(answer), answer.data?.[name] ?? null], [[code], null]);
      }
    }
  });

  test('opens for a doctor with the chart', async () => {
    const doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const variables = { patientId: hospital.patients[0]!.id };
    await api.call('openChart', variables, doctor);
    const { patientInsight: found } = await api.call('patientInsight', variables, doctor);
    assert.deepEqual([found.visits, found.charlsonScore], ['1', 2]);
  });
});

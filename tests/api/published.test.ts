import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { SCHEMA_FILE } from '../../tools/api/export-schema.ts';
import { codes, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, tokenFor, type Hospital } from './support/hospital.ts';

const REPORTS = {
  publishedAppointments: 'month department status appointments',
  publishedVisits: 'month department visits',
  publishedDiagnoses: 'year chapter sex ageBand diagnoses',
};

describe('an analyst’s token', () => {
  let api: TestApi;
  let hospital: Hospital;
  let token: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 15 });
    token = await tokenFor(api.owner, await addStaff(api.owner, hospital, 'analyst', 'analyst'), 'analyst');
    // In May all fifteen came, and two again in June; each has a diagnosis of the heart.
    for (const [n, { id }] of hospital.patients.entries()) {
      for (const day of n < 2 ? ['2024-05-10', '2024-06-10'] : ['2024-05-10']) {
        await api.owner.query(
          `with appointment as (
             insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
             values ($1, $2, $3, $4::date + time '10:00' at time zone 'UTC', 'completed')
             returning id, patient_id, doctor_id, starts_at
           ),
           visit as (
             insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at)
             select id, patient_id, doctor_id, starts_at from appointment returning id, patient_id
           ),
           code as (
             insert into hospital.diagnosis_codes as c (system, code, description) values ('icd10cm', 'I10', 'Hypertension')
             on conflict (system, code) do update set description = c.description returning id
           )
           insert into hospital.visit_diagnoses (visit_id, patient_id, diagnosis_code_id, rank)
           select visit.id, visit.patient_id, code.id, 1 from visit, code`,
          [id, hospital.doctors[0]!.id, hospital.typeId, day],
        );
      }
    }
    await api.owner.query('select ops.publish_aggregates()');
  });

  test('reads the published numbers, and null where they are suppressed', async () => {
    const { publishedVisits } = await api.call('publishedVisits', {}, token);
    assert.deepEqual(publishedVisits.nodes, [
      { month: '2024-05-01', department: null, visits: '15' },
      { month: '2024-05-01', department: 'Cardiology', visits: '15' },
      { month: '2024-06-01', department: null, visits: null },
      { month: '2024-06-01', department: 'Cardiology', visits: null },
    ]);
    const { publishedDiagnoses } = await api.call('publishedDiagnoses', { chapter: 'Circulatory system' }, token);
    assert.deepEqual(publishedDiagnoses.nodes, [
      { year: 2024, chapter: 'Circulatory system', sex: null, ageBand: null, diagnoses: '17' },
      { year: 2024, chapter: 'Circulatory system', sex: 'female', ageBand: '40-49', diagnoses: '17' },
    ]);
  });

  test('narrows them by period, department and status', async () => {
    const months = async (variables: object): Promise<unknown[]> =>
      (await api.call('publishedAppointments', variables, token)).publishedAppointments.nodes.map(
        (node: { month: string; department: string | null; status: string | null }) =>
          `${node.month} ${node.department} ${node.status}`,
      );
    assert.deepEqual(await months({ fromDate: '2024-06-01', department: 'Cardiology', status: 'completed' }), [
      '2024-06-01 Cardiology completed',
    ]);
    assert.deepEqual(await months({ untilDate: '2024-06-01', department: 'Cardiology' }), [
      '2024-05-01 Cardiology null',
      '2024-05-01 Cardiology completed',
    ]);
    assert.deepEqual(await months({ department: 'Elsewhere' }), []);
  });

  test('is needed to read them', async () => {
    const patient = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    const doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    for (const [name, fields] of Object.entries(REPORTS)) {
      const query = `{ ${name}(first: 5) { nodes { ${fields} } } }`;
      assert.deepEqual((await api.graphql(query, {}, token)).errors, []);
      for (const other of [undefined, patient, doctor]) {
        assert.deepEqual(codes(await api.graphql(query, {}, other)), ['FORBIDDEN']);
      }
    }
  });

  test('reaches no row of the schema masked, since the API has none', () => {
    assert.doesNotMatch(readFileSync(SCHEMA_FILE, 'utf8'), /\bmasked/i);
  });

  test('ends with the session', async () => {
    await api.owner.query(`update hospital_private.sessions set revoked_at = now(), revoked_reason = 'revoked'`);
    const answer = await api.graphql('{ publishedVisits(first: 5) { nodes { month } } }', {}, token);
    assert.deepEqual([answer.data?.publishedVisits?.nodes ?? [], answer.text.includes('2024')], [[], false]);
  });
});

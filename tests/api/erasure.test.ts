import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, send, startApi, type Answer, type TestApi } from './support/api.ts';
import { addStaff, furnish, tokenFor, type Hospital } from './support/hospital.ts';

describe('erasing through the API', { concurrency: 1 }, () => {
  let api: TestApi;
  let hospital: Hospital;
  let administrator: string;

  const ask = (documentId: string, variables: object, token: string): Promise<Answer> =>
    send(api.url, { documentId, variables }, token);

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    const grace = await addStaff(api.owner, hospital, 'administrator', 'administrator');
    administrator = await tokenFor(api.owner, grace, 'administrator');
  });

  test('an administrator holds, is refused by the hold, releases it, and gets the certificate', async () => {
    const patientId = hospital.patients[0]!.id;
    const hold = await ask('placeLegalHold', { patientId, matter: 'Docket 7', reason: 'A suit' }, administrator);
    assert.deepEqual(hold.errors, []);
    const { id, held } = hold.data.placeLegalHold.legalHold;
    assert.equal(held.end, null);
    const again = await ask('placeLegalHold', { patientId, matter: 'Docket 7', reason: 'A suit' }, administrator);
    assert.deepEqual(codes(again), ['HOLD_EXISTS']);

    const refused = await ask('erasePatient', { patientId, reason: 'person_asked' }, administrator);
    assert.deepEqual(codes(refused), ['LEGAL_HOLD']);
    assert.ok(!refused.text.includes('Docket'), 'the refusal does not say for which matter');

    const released = await ask('releaseLegalHold', { legalHoldId: id, reason: 'Settled' }, administrator);
    assert.equal(released.data.releaseLegalHold.legalHold.releaseReason, 'Settled');
    const erased = await ask('erasePatient', { patientId, reason: 'person_asked' }, administrator);
    assert.deepEqual(erased.errors, []);
    const { erasure } = erased.data.erasePatient;
    assert.equal(erasure.isComplete, true);
    const identity = erasure.lines.nodes.find(
      (line: { relation: string; dataClass: string }) =>
        line.relation === 'hospital.patients' && line.dataClass === 'identity',
    );
    assert.deepEqual(identity, {
      relation: 'hospital.patients',
      dataClass: 'identity',
      outcome: 'erased',
      columnNames: ['family_name', 'given_name', 'mrn'],
      rowCount: '1',
      explanation: 'It names the person or leads to him.',
    });
    assert.ok(!/Number 1|patient1@/.test(erased.text), 'the certificate names nobody');
  });

  test('what must be kept is refused with the day until which it must', async () => {
    const patientId = hospital.patients[1]!.id;
    await api.owner.query(
      `with code as (
         insert into hospital.diagnosis_codes (system, code, description)
         values ('icd10cm', 'I10', 'Hypertension')
         returning id
       )
       insert into hospital.patient_conditions (patient_id, diagnosis_code_id, onset_on)
       select $1, code.id, '2020-05-01'
       from code`,
      [patientId],
    );
    const answer = await ask('erasePatient', { patientId, reason: 'person_asked' }, administrator);
    assert.deepEqual(codes(answer), ['MUST_BE_KEPT']);
    assert.equal(answer.errors[0]?.extensions.hint, 'The clinical record must be kept until 2030-05-01.');
    const due = await ask('retentionDue', { asOf: '2030-05-01' }, administrator);
    assert.deepEqual(
      due.data.retentionDue.nodes.map((node: { patientId: string; dueOn: string }) => [node.patientId, node.dueOn]),
      [[patientId, '2030-05-01']],
    );
  });

  test('nobody else holds, erases or sees certificates', async () => {
    const doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const patient = await tokenFor(api.owner, hospital.patients[1]!, 'patient');
    const patientId = hospital.patients[1]!.id;
    for (const token of [doctor, patient]) {
      for (const answer of [
        await ask('erasePatient', { patientId, reason: 'person_asked' }, token),
        await ask('placeLegalHold', { patientId, matter: 'x', reason: 'x' }, token),
        await ask('retentionDue', {}, token),
        await api.graphql('{ erasures(first: 1) { nodes { subject } } }', {}, token),
      ]) {
        assert.deepEqual(codes(answer), ['FORBIDDEN']);
      }
    }
  });
});

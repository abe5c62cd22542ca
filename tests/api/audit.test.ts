import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, type Hospital, type Person, tokenFor } from './support/hospital.ts';

interface Entry {
  sequence: string;
  tableName: string;
  operation: string;
  rowKey: string;
  patientId: string | null;
  accountId: string | null;
  role: string | null;
  databaseUser: string;
  clientAddress: string | null;
  requestId: string | null;
  purpose: string | null;
  changes: { columnName: string; oldValue: string | null; newValue: string | null; isWithheld: boolean }[];
}

describe('the record of changes, through the API', { concurrency: 1 }, () => {
  let api: TestApi;
  let hospital: Hospital;
  let auditor: Person;
  let token: string;
  const tokens: Record<string, string> = {};

  const entries = async (filter: object, as = token): Promise<Entry[]> =>
    (await api.call('auditEntries', { first: 200, ...filter }, as)).auditEntries.nodes;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    auditor = await addStaff(api.owner, hospital, 'auditor', 'auditor');
    token = await tokenFor(api.owner, auditor, 'auditor');
    tokens.patient = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    tokens.doctor = await tokenFor(api.owner, hospital.doctors[0]!, 'doctor');
    const jobs = {
      administrator: 'administrator',
      reception: 'receptionist',
      nurse: 'nurse',
      billing: 'billing_clerk',
      analyst: 'analyst',
    };
    for (const [role, job] of Object.entries(jobs)) {
      tokens[role] = await tokenFor(api.owner, await addStaff(api.owner, hospital, role, job), role);
    }
  });

  const open = (as = token): Promise<unknown> =>
    api.call('openAudit', { reason: 'Yearly review of changes.' }, as);

  test('shows nothing to an auditor who has not said why', async () => {
    assert.deepEqual(await entries({}), []);
    const { auditedChartAccesses } = await api.call('auditedChartAccesses', {}, token);
    assert.deepEqual(auditedChartAccesses.nodes, []);
    const refused = await api.graphql(
      'mutation { openAudit(input: { reason: "because" }) { auditOpening { reason } } }',
      {},
      token,
    );
    assert.deepEqual(codes(refused), ['VALUE_REFUSED']);
    assert.deepEqual(await entries({}), []);
  });

  test('shows a booking with who, from where and in which request', async () => {
    const booked = await api.call(
      'bookAppointment',
      {
        input: {
          patientId: hospital.patients[0]!.id,
          doctorId: hospital.doctors[0]!.id,
          appointmentTypeId: hospital.typeId,
          startsAt: hoursAhead(48),
          reason: 'Headache',
        },
      },
      tokens.patient,
    );
    await open();
    const [entry] = await entries({ tableName: 'hospital.appointments', rowKey: booked.bookAppointment.appointment.id });
    assert.equal(entry!.operation, 'insert');
    assert.equal(entry!.patientId, hospital.patients[0]!.id);
    assert.equal(entry!.accountId, hospital.patients[0]!.accountId);
    assert.equal(entry!.role, 'hospital_patient');
    assert.equal(entry!.databaseUser, 'hospital_authenticator');
    assert.equal(entry!.clientAddress, '127.0.0.1');
    assert.ok(entry!.requestId);
    assert.ok(entry!.changes.some(({ columnName, newValue }) => columnName === 'status' && newValue === 'scheduled'));
  });

  test('shows the columns a change changed, of a patient’s identity only their names', async () => {
    const input = { patientId: hospital.patients[0]!.id, familyName: 'Oleander' };
    await api.call('updatePatient', { input }, tokens.reception);
    await api.call('updatePatient', { input: { ...input, familyName: 'Foxglove' } }, tokens.reception);
    const [newest, older] = await entries({ tableName: 'hospital.patients', rowKey: hospital.patients[0]!.id });
    for (const entry of [newest!, older!]) {
      assert.equal(entry.operation, 'update');
      assert.equal(entry.role, 'hospital_reception');
      const name = entry.changes.find(({ columnName }) => columnName === 'family_name');
      assert.deepEqual(name, { columnName: 'family_name', oldValue: null, newValue: null, isWithheld: true });
      assert.ok(!entry.changes.some(({ columnName }) => columnName === 'given_name' || columnName === 'id'));
    }
    assert.doesNotMatch(JSON.stringify(await entries({})), /Oleander|Foxglove/);
  });

  test('keeps its own opening on record, and closes with the session', async () => {
    const [opening] = await entries({ tableName: 'audit.audit_openings' });
    assert.equal(opening!.accountId, auditor.accountId);
    const another = await tokenFor(api.owner, auditor, 'auditor');
    assert.deepEqual(await entries({}, another), []);
    await open(another);
    assert.notDeepEqual(await entries({}, another), []);
    await api.call('logOut', {}, another);
    assert.deepEqual(await entries({}, token).then((found) => found.length > 0), true);
    const answer = await api.graphql('{ auditEntries(first: 1) { nodes { sequence } } }', {}, another);
    assert.deepEqual(answer.data?.auditEntries?.nodes ?? [], []);
  });

  test('is open to no other role, whatever it opens', async () => {
    for (const [role, other] of Object.entries(tokens)) {
      const opened = await api.graphql(
        'mutation { openAudit(input: { reason: "I should like to see." }) { auditOpening { reason } } }',
        {},
        other,
      );
      assert.deepEqual(codes(opened), ['FORBIDDEN'], role);
      const answer = await api.graphql('{ auditEntries(first: 1) { nodes { sequence } } }', {}, other);
      assert.deepEqual(codes(answer), ['FORBIDDEN'], role);
    }
  });

  test('lets the auditor read nothing else', async () => {
    for (const field of ['patients', 'appointments', 'visits', 'prescriptions', 'staffMembers', 'notifications']) {
      const answer = await api.graphql(`{ ${field}(first: 1) { nodes { id } } }`, {}, token);
      assert.deepEqual(codes(answer), ['FORBIDDEN'], field);
    }
  });

  test('holds after all of this', async () => {
    assert.deepEqual((await api.owner.query('select * from audit.verify()')).rows, []);
  });
});

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, startApi, type TestApi } from './support/api.ts';
import { furnish, hoursAhead, tokenFor, value, type Hospital } from './support/hospital.ts';
import { fillRecord } from './support/record.ts';

/*
 * A grown-up names a proxy, two records turn out to be one person's: what a portal shows of it, from the first
 * moment to the last.
 */
describe('proxies and merges through the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  let own: string;
  let proxy: string;
  let administrator: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 3 });
    await fillRecord(api, hospital, 0, 'Mine', 24);
    own = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    proxy = await tokenFor(api.owner, hospital.patients[1]!, 'patient');
    await api.owner.query(`insert into hospital_private.account_roles values ($1, 'administrator')`, [
      hospital.doctors[0]!.accountId,
    ]);
    administrator = await tokenFor(api.owner, hospital.doctors[0]!, 'administrator');
  });

  const patientsSeen = async (token: string): Promise<string[]> => {
    const { data } = await api.graphql(
      '{ patients(first: 50, orderBy: [PRIMARY_KEY_ASC]) { nodes { id } } }',
      {},
      token,
    );
    return data.patients.nodes.map(({ id }: { id: string }) => id);
  };

  test('a patient names a proxy, who reads and books from then on and not after', async () => {
    const [patient, other] = hospital.patients.map(({ id }) => id) as [string, string];
    const proxyUuid = await value(api.owner, 'select public_uuid from hospital.patients where id = $1', [
      other,
    ]);
    assert.deepEqual(await patientsSeen(proxy), [other]);

    const input = { patientId: patient, proxyUuid, relationship: 'spouse', scope: 'read_and_book' };
    const { patientProxy } = (await api.call('grantProxy', input, own)).grantProxy;
    assert.equal(patientProxy.proxyName, 'Patient Number 2');
    assert.equal(patientProxy.isLive, true);
    assert.deepEqual(await patientsSeen(proxy), [patient, other]);
    const mine = await api.call('proxies', { patientId: other }, proxy);
    assert.equal(mine.patient.proxyFor.nodes[0].patient.fullName, 'Mine Mine');
    const booking = {
      patientId: patient,
      doctorId: hospital.doctors[0]!.id,
      appointmentTypeId: hospital.typeId,
      startsAt: hoursAhead(72),
    };
    const { bookAppointment } = await api.call('bookAppointment', { input: booking }, proxy);
    const booked = await api.call('appointment', { id: bookAppointment.appointment.id }, own);
    assert.equal(booked.appointment.startsAt, bookAppointment.appointment.startsAt);

    await api.call('revokeProxy', { patientProxyId: patientProxy.id }, own);
    assert.deepEqual(await patientsSeen(proxy), [other]);
    const after = await api.call('proxies', { patientId: other }, proxy);
    assert.deepEqual(
      after.patient.proxyFor.nodes.map((grant: { isLive: boolean; patient: null }) => [
        grant.isLive,
        grant.patient,
      ]),
      [[false, null]],
    );
  });

  test('a grant that is not the caller’s is refused with a code and without a name', async () => {
    const variables = { p: hospital.patients[0]!.id, u: '00000000-0000-4000-8000-000000000000' };
    const mutation = `mutation ($p: BigInt!, $u: UUID!) {
      grantProxy(input: { patientId: $p, proxyUuid: $u, relationship: "spouse" }) { patientProxy { id } } }`;
    assert.deepEqual(codes(await api.graphql(mutation, variables, proxy)), ['NOT_FOUND']);
    assert.deepEqual(codes(await api.graphql(mutation, variables, administrator)), ['NOT_FOUND']);
  });

  test('two records are merged, read as one in one query, and separated again', async () => {
    const [survivor, , duplicate] = hospital.patients.map(({ id }) => id) as [string, string, string];
    const token = await tokenFor(api.owner, hospital.patients[2]!, 'patient');
    const reason = { reason: 'Same passport' };
    assert.deepEqual(
      codes(
        await api.graphql(
          `mutation ($d: BigInt!, $s: BigInt!) { mergePatients(input: { duplicateId: $d, survivorId: $s, reason: "Same passport" }) { patient { id } } }`,
          { d: survivor, s: duplicate },
          administrator,
        ),
      ),
      ['APPOINTMENTS_IN_THE_WAY'],
    );
    const merged = await api.call(
      'mergePatients',
      { duplicateId: duplicate, survivorId: survivor, ...reason },
      administrator,
    );
    assert.deepEqual(
      merged.mergePatients.patient.records.nodes.map(({ id }: { id: string }) => id),
      [survivor, duplicate],
    );
    const { currentAccount } = await api.call('currentAccount', {}, token);
    assert.equal(currentAccount.patientId, survivor);
    const history = await api.call('medicalHistory', { patientId: duplicate }, token);
    assert.deepEqual(
      history.patient.records.nodes.map(
        ({ conditions }: { conditions: { nodes: unknown[] } }) => conditions.nodes.length,
      ),
      [1, 0],
    );

    const { patient } = (await api.call('unmergePatients', { duplicateId: duplicate }, administrator))
      .unmergePatients;
    assert.equal(patient.merges.nodes[0].reason, 'Same passport');
    assert.deepEqual(await patientsSeen(token), [duplicate]);
  });
});

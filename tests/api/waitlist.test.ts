import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, send, startApi, type Answer, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, tokenFor, value, type Hospital } from './support/hospital.ts';

describe('the waitlist through the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  let desk: string;
  let tokens: string[];

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 4 });
    desk = await tokenFor(api.owner, await addStaff(api.owner, hospital, 'reception', 'receptionist'), 'reception');
    tokens = await Promise.all(hospital.patients.map((patient) => tokenFor(api.owner, patient, 'patient')));
  });

  const doctorId = (): string => hospital.doctors[0]!.id;
  const patientId = (n: number): string => hospital.patients[n]!.id;
  const ask = (documentId: string, variables: object, token?: string): Promise<Answer> =>
    send(api.url, { documentId, variables }, token);
  const book = async (n: number, startsAt: string): Promise<string> => {
    const input = { patientId: patientId(n), doctorId: doctorId(), appointmentTypeId: hospital.typeId, startsAt };
    return (await api.call('bookAppointment', { input }, tokens[n])).bookAppointment.appointment.id;
  };
  const join = async (n: number, more: object = {}): Promise<any> => {
    const input = { patientId: patientId(n), appointmentTypeId: hospital.typeId, doctorId: doctorId(), ...more };
    return (await api.call('joinWaitlist', { input }, tokens[n])).joinWaitlist.waitlistEntry;
  };
  const offerTo = (n: number): Promise<string> =>
    value(api.owner, `select id from hospital.appointments where patient_id = $1 and status = 'held'`, [patientId(n)]);

  test('a cancelled time is offered in turn, refused, accepted, and the wish is fulfilled', async () => {
    const booked = await book(0, hoursAhead(100));
    const first = await join(1, { idempotencyKey: 'first-in-line' });
    assert.deepEqual(await join(1, { idempotencyKey: 'first-in-line' }), first);
    assert.equal(first.departmentId, hospital.departmentId);
    await join(2);
    await api.call('cancelAppointment', { appointmentId: booked }, tokens[0]);

    const refused = await api.call('refuseOffer', { appointmentId: await offerTo(1) }, tokens[1]);
    assert.equal(refused.refuseOffer.appointment.status, 'cancelled');
    const accepted = await api.call('acceptOffer', { appointmentId: await offerTo(2) }, tokens[2]);
    assert.equal(accepted.acceptOffer.appointment.status, 'scheduled');
    const { waitlistEntries } = await api.call('waitlistEntries', { status: 'booked' }, tokens[2]);
    assert.deepEqual(waitlistEntries.nodes.map((entry: any) => entry.patientId), [patientId(2)]);

    const left = await api.call('leaveWaitlist', { entryId: first.id }, tokens[1]);
    assert.equal(left.leaveWaitlist.waitlistEntry.status, 'withdrawn');
  });

  test('a patient waits for five things at most, and for nobody who is not there', async () => {
    const types = await api.owner.query<{ id: string }>(
      `select id from hospital.appointment_types where is_bookable order by id limit 6`,
    );
    const input = { patientId: patientId(0), departmentId: hospital.departmentId };
    const answers: Answer[] = [];
    for (const { id } of types.rows)
      answers.push(await ask('joinWaitlist', { input: { ...input, appointmentTypeId: id } }, tokens[0]));
    assert.deepEqual(answers.map(codes), [...Array<string[]>(5).fill([]), ['TOO_MANY_WISHES']]);
    const nobody = { ...input, appointmentTypeId: hospital.typeId, doctorId: '999999' };
    assert.deepEqual(codes(await ask('joinWaitlist', { input: nobody }, tokens[0])), ['NOT_FOUND']);
  });

  test('reception says who comes first and assigns staff; patients do neither', async () => {
    const input = { patientId: patientId(3), appointmentTypeId: hospital.typeId, departmentId: hospital.departmentId };
    const { joinWaitlist } = await api.call('joinWaitlist', { input: { ...input, priority: 7 } }, desk);
    const { waitlistEntries } = await api.call('waitlistEntries', { patientId: patientId(3) }, desk);
    assert.deepEqual(
      waitlistEntries.nodes.map((entry: any) => [entry.id, entry.priority]),
      [[joinWaitlist.waitlistEntry.id, 7]],
    );
    const refused = await ask('joinWaitlist', { input: { ...input, priority: 9 } }, tokens[3]);
    assert.equal(refused.errors[0]!.extensions.code, 'FORBIDDEN');

    const appointmentId = await book(0, hoursAhead(110));
    const staffMemberId = await value(
      api.owner,
      `insert into hospital.staff_members (given_name, family_name, job, department_id, hired_on)
       values ('Nora', 'Nurse', 'nurse', $1, '2020-01-01') returning id`,
      [hospital.departmentId],
    );
    const assigned = await api.call('assignAppointmentStaff', { appointmentId, staffMemberId }, desk);
    assert.equal(assigned.assignAppointmentStaff.appointmentStaff.staffMemberId, staffMemberId);
    const back = await api.call('unassignAppointmentStaff', { appointmentId, staffMemberId }, desk);
    assert.equal(back.unassignAppointmentStaff.appointment.id, appointmentId);
    const denied = await ask('assignAppointmentStaff', { appointmentId, staffMemberId }, tokens[0]);
    assert.equal(denied.errors[0]!.extensions.code, 'FORBIDDEN');
  });
});

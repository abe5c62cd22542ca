import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { signToken, verifyToken } from '../../tools/api/identity.ts';
import { KEYS, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, tokenFor, value, type Hospital } from './support/hospital.ts';
import { subscribe, type Subscriber } from './support/subscriber.ts';

const CHANGES = 'subscription { appointmentChanged { event appointment { id status patient { id } } } }';

describe('appointmentChanged', () => {
  let api: TestApi;
  let hospital: Hospital;
  let superuser: Client;
  let hour = 100;

  before(async () => {
    api = await startApi();
    superuser = new Client({ connectionString: api.database.url('postgres') });
    await superuser.connect();
    hospital = await furnish(api.owner, { doctors: 2, patients: 2 });
  });

  after(() => superuser.end());

  /** Books for a patient and returns the appointment's key. */
  const book = async (patient: number, doctor = 0): Promise<string> => {
    const token = await tokenFor(api.owner, hospital.patients[patient]!, 'patient');
    const input = {
      patientId: hospital.patients[patient]!.id,
      doctorId: hospital.doctors[doctor]!.id,
      appointmentTypeId: hospital.typeId,
      startsAt: hoursAhead(hour++),
    };
    return (await api.call('bookAppointment', { input }, token)).bookAppointment.appointment.id;
  };
  /** Subscribes and waits until the database listens to the topic. */
  const follow = async (topic: string, token: string): Promise<Subscriber> => {
    const subscriber = await subscribe(api.url, CHANGES, token);
    const listening = `select exists (select from pg_stat_activity where query = 'LISTEN "appointments:${topic}"')`;
    while (!(await value(superuser, listening))) await wait(10);
    return subscriber;
  };

  test('a patient hears of the own appointments and of nobody else’s', async () => {
    const subscriber = await follow(
      `patient:${hospital.patients[0]!.id}`,
      await tokenFor(api.owner, hospital.patients[0]!, 'patient'),
    );
    await book(1);
    const own = await book(0);
    const event = await subscriber.next();
    assert.deepEqual(event.data.appointmentChanged, {
      event: 'insert',
      appointment: { id: own, status: 'scheduled', patient: { id: hospital.patients[0]!.id } },
    });
    assert.deepEqual(await subscriber.close(), []);
  });

  test('a doctor hears of the own calendar, reception of its department', async () => {
    const desk = await addStaff(api.owner, hospital, 'reception', 'receptionist');
    const doctor = await follow(
      `doctor:${hospital.doctors[1]!.id}`,
      await tokenFor(api.owner, hospital.doctors[1]!, 'doctor'),
    );
    const reception = await follow(
      `department:${hospital.departmentId}`,
      await tokenFor(api.owner, desk, 'reception'),
    );
    const other = await book(0, 0);
    const own = await book(1, 1);
    assert.equal((await doctor.next()).data.appointmentChanged.appointment.id, own);
    assert.equal((await reception.next()).data.appointmentChanged.appointment.id, other);
    assert.equal((await reception.next()).data.appointmentChanged.appointment.id, own);
    assert.deepEqual(await doctor.close(), []);
    await reception.close();
  });

  test('a session that was revoked hears nothing more and its subscription ends', async () => {
    const token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    const subscriber = await follow(`patient:${hospital.patients[0]!.id}`, token);
    await api.call('logOut', {}, token);
    await book(0);
    assert.equal(await subscriber.next(), undefined);
  });

  test('a subscription ends when its token expires', async () => {
    const grant = verifyToken(KEYS, await tokenFor(api.owner, hospital.patients[0]!, 'patient'));
    const soon = signToken(KEYS, { ...grant, expiresAt: new Date(Date.now() + 2000) });
    const subscriber = await follow(`patient:${hospital.patients[0]!.id}`, soon);
    assert.equal(await subscriber.next(), undefined);
  });

  test('without a live session nobody subscribes', async () => {
    const revoked = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    await api.call('logOut', {}, revoked);
    for (const token of [undefined, revoked]) {
      const refused = await (await subscribe(api.url, CHANGES, token)).next();
      assert.equal(refused.errors[0].extensions.code, 'UNAUTHENTICATED');
    }
    const forged = await (await subscribe(api.url, CHANGES, 'rubbish')).next();
    assert.equal(forged.errors[0].extensions.code, 'UNAUTHENTICATED');
  });

  test('a role without appointments of its own may not subscribe', async () => {
    const clerk = await addStaff(api.owner, hospital, 'billing', 'billing_clerk');
    const refused = await (
      await subscribe(api.url, CHANGES, await tokenFor(api.owner, clerk, 'billing'))
    ).next();
    assert.equal(refused.errors[0].extensions.code, 'FORBIDDEN');
  });

  test('the limits hold on a websocket too', async () => {
    const token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    const refused = await (await subscribe(api.url, '{ doctors { nodes { id } } }', token)).next();
    assert.equal(refused.errors[0].extensions.code, 'PAGE_SIZE_REQUIRED');
  });

  test('another site cannot use the browser’s cookie to listen', async () => {
    const cookie = `infirmary=${await tokenFor(api.owner, hospital.patients[0]!, 'patient')}`;
    const own = await subscribe(api.url, '{ currentAccount { email } }', undefined, { cookie });
    assert.equal((await own.next()).data.currentAccount.email, hospital.patients[0]!.email);
    await own.close();
    await assert.rejects(subscribe(api.url, CHANGES, undefined, { cookie, origin: 'https://evil.example' }));
  });
});

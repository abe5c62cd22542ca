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
    const listening = `select exists (select from pg_stat_activity where query = 'LISTEN "appointments:${topic}"')`;
    // The one before it on the same topic has been forgotten.
    while (await value(superuser, listening)) await wait(10);
    const subscriber = await subscribe(api.url, CHANGES, token);
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

  for (const [name, end] of [
    ['logging out', `update hospital_private.sessions set revoked_at = now(), revoked_reason = 'logged_out' where id = $1`],
    ['another secret', `update hospital_private.sessions set secret_hash = sha256('another') where id = $1`],
    ['losing the role', `delete from hospital_private.sessions where id = $1`],
  ] as const) {
    test(`${name} ends an open subscription at once, without any event`, async () => {
      const token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
      const subscriber = await follow(`patient:${hospital.patients[0]!.id}`, token);
      await api.owner.query(end, [verifyToken(KEYS, token).sessionId]);
      assert.equal(await subscriber.next(), undefined);
    });
  }

  test('a subscription ends when its token expires', async () => {
    const grant = verifyToken(KEYS, await tokenFor(api.owner, hospital.patients[0]!, 'patient'));
    // On a busy machine subscribing alone may take longer than the token lasts; then it lasts twice as long.
    for (let lifetime = 1500; ; lifetime *= 2) {
      const soon = signToken(KEYS, { ...grant, expiresAt: new Date(Date.now() + lifetime) });
      const event = await (await subscribe(api.url, CHANGES, soon)).next();
      if (event === undefined) break;
      assert.equal(event.errors[0].extensions.code, 'UNAUTHENTICATED');
    }
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

const FREE_TIME = 'subscription ($doctorId: BigInt!) { freeTimeChanged(doctorId: $doctorId) { doctorId startsAt endsAt } }';

describe('freeTimeChanged', () => {
  let api: TestApi;
  let hospital: Hospital;
  let superuser: Client;

  before(async () => {
    api = await startApi();
    superuser = new Client({ connectionString: api.database.url('postgres') });
    await superuser.connect();
    hospital = await furnish(api.owner, { doctors: 3, patients: 2 });
  });

  after(() => superuser.end());

  const doctor = (): string => hospital.doctors[0]!.id;
  const patientToken = (n = 0): Promise<string> => tokenFor(api.owner, hospital.patients[n]!, 'patient');
  const follow = async (doctorId: string, token: string): Promise<Subscriber> => {
    const listening = `select exists (select from pg_stat_activity where query = 'LISTEN "free_time:doctor:${doctorId}"')`;
    // The one before it on the same topic has been forgotten.
    while (await value(superuser, listening)) await wait(10);
    const subscriber = await subscribe(api.url, FREE_TIME, token, {}, { doctorId });
    while (!(await value(superuser, listening))) await wait(10);
    return subscriber;
  };
  const book = async (startsAt: string, doctorId = doctor()): Promise<string> => {
    const input = {
      patientId: hospital.patients[1]!.id,
      doctorId,
      appointmentTypeId: hospital.typeId,
      startsAt,
    };
    return (await api.call('bookAppointment', { input }, await patientToken(1))).bookAppointment.appointment.id;
  };
  const plus = (instant: string, minutes: number): number => Date.parse(instant) + minutes * 60_000;
  const heard = async (subscriber: Subscriber): Promise<[string, number, number | null]> => {
    const { doctorId, startsAt, endsAt } = (await subscriber.next()).data.freeTimeChanged;
    return [doctorId, Date.parse(startsAt), endsAt === null ? null : Date.parse(endsAt)];
  };

  test('tells when time is taken, moved and given back, and never whose it is', async () => {
    const subscriber = await follow(doctor(), await patientToken());
    const [first, second] = [hoursAhead(200), hoursAhead(203)];
    await book(hoursAhead(201), hospital.doctors[1]!.id);
    const id = await book(first);
    const taken = await subscriber.next();
    assert.deepEqual(Object.keys(taken.data.freeTimeChanged).sort(), ['doctorId', 'endsAt', 'startsAt']);
    assert.equal(Date.parse(taken.data.freeTimeChanged.startsAt), plus(first, 0));
    assert.equal(Date.parse(taken.data.freeTimeChanged.endsAt), plus(first, 30));
    await api.owner.query('update hospital.appointments set starts_at = $2 where id = $1', [id, second]);
    assert.deepEqual(await heard(subscriber), [doctor(), plus(first, 0), plus(first, 30)]);
    assert.deepEqual(await heard(subscriber), [doctor(), plus(second, 0), plus(second, 30)]);
    // Nothing of the doctor's time changes with these.
    await api.owner.query(`update hospital.appointments set reason = 'Cough' where id = $1`, [id]);
    await api.owner.query(`update hospital.appointments set status = 'checked_in' where id = $1`, [id]);
    await api.owner.query(
      `update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = $1`,
      [id],
    );
    assert.deepEqual(await heard(subscriber), [doctor(), plus(second, 0), plus(second, 30)]);
    assert.deepEqual(await subscriber.close(), []);
  });

  test('tells of absences, extra sessions and new hours', async () => {
    const subscriber = await follow(doctor(), await patientToken());
    const [from, until] = [hoursAhead(900), hoursAhead(910)];
    await api.owner.query(
      `insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
       select $1, $2, $3, r.code from hospital.time_off_reasons as r limit 1`,
      [doctor(), from, until],
    );
    assert.deepEqual(await heard(subscriber), [doctor(), Date.parse(from), Date.parse(until)]);
    await api.owner.query('delete from hospital.doctor_time_off where doctor_id = $1', [doctor()]);
    assert.deepEqual(await heard(subscriber), [doctor(), Date.parse(from), Date.parse(until)]);
    await api.owner.query(
      'insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at) values ($1, $2, $3)',
      [doctor(), from, until],
    );
    assert.deepEqual(await heard(subscriber), [doctor(), Date.parse(from), Date.parse(until)]);
    await api.owner.query(
      `update hospital.doctor_schedules set effective = daterange('2020-01-01', null) where doctor_id = $1`,
      [doctor()],
    );
    const [, , openEnd] = await heard(subscriber);
    assert.equal(openEnd, null);
    assert.deepEqual(await subscriber.close(), []);
  });

  test('history that is loaded wakes nobody', async () => {
    const subscriber = await follow(doctor(), await patientToken());
    await api.owner.query(
      `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
       select $1, $2, $3, now() - n * interval '1 day', 'completed' from generate_series(1, 50) as n`,
      [hospital.patients[0]!.id, doctor(), hospital.typeId],
    );
    const next = hoursAhead(300);
    await book(next);
    assert.deepEqual(await heard(subscriber), [doctor(), plus(next, 0), plus(next, 30)]);
    assert.deepEqual(await subscriber.close(), []);
  });

  test('a session that was revoked hears nothing more', async () => {
    const token = await patientToken();
    const subscriber = await follow(doctor(), token);
    await api.call('logOut', {}, token);
    await book(hoursAhead(320));
    assert.equal(await subscriber.next(), undefined);
  });

  test('is for those who are logged in, about doctors they may see', async () => {
    const refused = async (doctorId: string, token?: string): Promise<string> =>
      (await (await subscribe(api.url, FREE_TIME, token, {}, { doctorId })).next()).errors[0].extensions.code;
    assert.equal(await refused(doctor()), 'UNAUTHENTICATED');
    assert.equal(await refused('999999999', await patientToken()), 'NOT_FOUND');
    await api.owner.query('update hospital.doctors set deactivated_at = now() where id = $1', [
      hospital.doctors[2]!.id,
    ]);
    assert.equal(await refused(hospital.doctors[2]!.id, await patientToken()), 'NOT_FOUND');
  });
});

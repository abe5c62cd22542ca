import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import { codes, startApi, type TestApi } from './support/api.ts';
import { addStaff, furnish, hoursAhead, tokenFor, value, type Hospital } from './support/hospital.ts';

const BOOK = `mutation ($i: BookAppointmentInput!) { bookAppointment(input: $i) { appointment { id status } } }`;
const HOLD = `mutation ($i: HoldSlotInput!) { holdSlot(input: $i) { appointment { id status expiresAt } } }`;
const CONFIRM = `mutation ($id: BigInt!) { confirmHold(input: { appointmentId: $id }) { appointment { id status expiresAt } } }`;
const MOVE = `mutation ($i: RescheduleAppointmentInput!) {
  rescheduleAppointment(input: $i) { appointment { id startsAt doctorId moves(first: 9) { nodes { fromStartsAt toStartsAt } } } }
}`;

describe('scheduling through the API', () => {
  let api: TestApi;
  let hospital: Hospital;
  let tokens: string[];
  let administrator: string;
  /** Every test has days of its own. */
  let day = 72;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 2, patients: 20 });
    tokens = [];
    for (const patient of hospital.patients) tokens.push(await tokenFor(api.owner, patient, 'patient'));
    administrator = await tokenFor(
      api.owner,
      await addStaff(api.owner, hospital, 'administrator', 'administrator'),
      'administrator',
    );
  });
  beforeEach(() => {
    day += 72;
  });

  const wish = (patient: number, more: Record<string, unknown> = {}): { i: Record<string, unknown> } => ({
    i: {
      patientId: hospital.patients[patient]!.id,
      doctorId: hospital.doctors[0]!.id,
      appointmentTypeId: hospital.typeId,
      startsAt: hoursAhead(day),
      ...more,
    },
  });
  const booked = (): Promise<unknown> =>
    value(
      api.owner,
      `select count(*)::integer from hospital.appointments
       where starts_at >= $1::timestamptz and starts_at < $1::timestamptz + interval '20 hours' and status = 'scheduled'`,
      [hoursAhead(day)],
    );

  test('20 requests under one key at once book once and answer with the same key', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.graphql(BOOK, wish(0, { idempotencyKey: 'once-and-for-all' }), tokens[0])),
    );
    assert.deepEqual(answers.flatMap(codes), []);
    assert.equal(new Set(answers.map(({ data }) => data.bookAppointment.appointment.id)).size, 1);
    assert.equal(await booked(), 1);
  });

  test('another payload under a used key is an error, and another person’s key is another key', async () => {
    const idempotencyKey = 'a-common-word';
    const first = await api.graphql(BOOK, wish(1, { idempotencyKey }), tokens[1]);
    assert.deepEqual(codes(first), []);
    const other = await api.graphql(BOOK, wish(1, { idempotencyKey, startsAt: hoursAhead(day + 2) }), tokens[1]);
    assert.deepEqual(codes(other), ['KEY_REUSED']);
    const mine = await api.graphql(BOOK, wish(2, { idempotencyKey, startsAt: hoursAhead(day + 2) }), tokens[2]);
    assert.deepEqual(codes(mine), []);
    assert.equal(await booked(), 2);
  });

  test('a held time is nobody else’s, and is confirmed once', async () => {
    const held = await api.graphql(HOLD, wish(3), tokens[3]);
    const { id, status } = held.data.holdSlot.appointment;
    assert.equal(status, 'held');
    assert.deepEqual(codes(await api.graphql(BOOK, wish(4), tokens[4])), ['SLOT_TAKEN']);
    assert.deepEqual(codes(await api.graphql(CONFIRM, { id }, tokens[4])), ['NOT_FOUND']);
    const confirmed = await Promise.all([1, 2, 3].map(() => api.graphql(CONFIRM, { id }, tokens[3])));
    assert.equal(confirmed.filter(({ errors }) => errors.length === 0).length, 1);
    assert.deepEqual(new Set(confirmed.flatMap(codes)), new Set(['STATUS_CHANGE_REFUSED']));
  });

  test('a hold that ran out is confirmed by nobody and booked by whoever comes', async () => {
    const held = await api.graphql(HOLD, wish(3), tokens[3]);
    const { id } = held.data.holdSlot.appointment;
    await api.owner.query(`update hospital.appointments set expires_at = clock_timestamp() where id = $1`, [id]);
    const free = await api.graphql(
      `query ($d: BigInt!, $a: Datetime!, $b: Datetime!) {
         freeSlots(doctorId: $d, startsFrom: $a, startsBefore: $b, first: 1) { nodes { startsAt } }
       }`,
      { d: hospital.doctors[0]!.id, a: hoursAhead(day), b: hoursAhead(day + 1) },
      tokens[4],
    );
    assert.equal(new Date(free.data.freeSlots.nodes[0].startsAt).toISOString(), hoursAhead(day));
    assert.deepEqual(codes(await api.graphql(CONFIRM, { id }, tokens[3])), ['HOLD_EXPIRED']);
    assert.deepEqual(codes(await api.graphql(BOOK, wish(4), tokens[4])), []);
  });

  test('20 who move to one slot at once: one is there, and every other stayed where he was', async () => {
    const moves = await Promise.all(
      hospital.patients.map(async ({ id }, n) => {
        const doctorId = hospital.doctors[n % 2]!.id;
        const startsAt = hoursAhead(day + 1 + Math.floor(n / 2));
        const made = await api.graphql(BOOK, wish(n, { patientId: id, doctorId, startsAt }), tokens[n]);
        return made.data.bookAppointment.appointment.id as string;
      }),
    );
    const answers = await Promise.all(
      moves.map((appointmentId, n) =>
        api.graphql(
          MOVE,
          { i: { appointmentId, startsAt: hoursAhead(day), doctorId: hospital.doctors[0]!.id } },
          tokens[n],
        ),
      ),
    );
    const moved = answers.filter(({ errors }) => errors.length === 0);
    assert.equal(moved.length, 1);
    assert.deepEqual(new Set(answers.flatMap(codes)), new Set(['SLOT_TAKEN']));
    assert.equal(moved[0]!.data.rescheduleAppointment.appointment.moves.nodes.length, 1);
    assert.equal(await booked(), 20);
  });

  test('an override is an administrator’s, with a reason', async () => {
    await api.owner.query(
      `update hospital.doctors set daily_limit = 1 where id = $1`,
      [hospital.doctors[1]!.id],
    );
    const with2 = { doctorId: hospital.doctors[1]!.id };
    assert.deepEqual(codes(await api.graphql(BOOK, wish(5, with2), tokens[5])), []);
    const second = { ...with2, startsAt: hoursAhead(day + 1) };
    assert.deepEqual(codes(await api.graphql(BOOK, wish(6, second), tokens[6])), ['DAY_FULL']);
    const urgent = { ...second, overrideReason: 'urgent_need' };
    assert.deepEqual(codes(await api.graphql(BOOK, wish(6, urgent), tokens[6])), ['FORBIDDEN']);
    assert.deepEqual(codes(await api.graphql(BOOK, wish(6, urgent), administrator)), []);
  });

  test('no deadlock was counted', async () => {
    await api.owner.query('select pg_stat_force_next_flush()');
    assert.equal(
      await value(
        api.owner,
        'select deadlocks::integer from pg_stat_database where datname = current_database()',
      ),
      0,
    );
  });
});

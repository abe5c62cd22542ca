import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, startApi, type TestApi } from './support/api.ts';
import { furnish, hoursAhead, PASSWORD, tokenFor, value, type Hospital } from './support/hospital.ts';

describe('many requests at once', () => {
  let api: TestApi;
  let hospital: Hospital;
  let tokens: string[];

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 50 });
    tokens = [];
    for (const patient of hospital.patients) tokens.push(await tokenFor(api.owner, patient, 'patient'));
  });

  test('50 bookings of one slot give one appointment and 49 clear refusals', async () => {
    const startsAt = hoursAhead(72);
    const answers = await Promise.all(
      hospital.patients.map(({ id }, n) => {
        const input = {
          patientId: id,
          doctorId: hospital.doctors[0]!.id,
          appointmentTypeId: hospital.typeId,
          startsAt,
        };
        const book =
          'mutation ($i: BookAppointmentInput!) { bookAppointment(input: $i) { appointment { id } } }';
        return api.graphql(book, { i: input }, tokens[n]);
      }),
    );
    const refusals = answers.filter((answer) => answer.errors.length > 0);
    assert.equal(refusals.length, 49);
    assert.deepEqual([...new Set(refusals.flatMap(codes))], ['SLOT_TAKEN']);
    const booked = await value(api.owner, 'select count(*) from hospital.appointments where starts_at = $1', [
      startsAt,
    ]);
    assert.equal(booked, '1');
  });

  test('400 requests of 50 people over ten connections never show one the other’s record', async () => {
    const query = '{ currentAccount { email } patients(first: 50) { nodes { id } } }';
    await Promise.all(
      Array.from({ length: 400 }, async (_, n) => {
        const who = n % 51;
        const patient = hospital.patients[who];
        const answer = await api.graphql(query, {}, tokens[who]);
        if (patient) {
          assert.deepEqual(answer.data, {
            currentAccount: { email: patient.email },
            patients: { nodes: [{ id: patient.id }] },
          });
        } else {
          assert.deepEqual(answer.data, { currentAccount: null, patients: null });
        }
      }),
    );
  });

  test('a claim that a function sets on a connection does not survive the request', async () => {
    // As careless code would: for the session, and so for whoever gets the connection next.
    await api.owner.query(`
      create or replace function hospital.patients_age(patient hospital.patients) returns integer
      language plpgsql stable set search_path = '' as $$
      begin
        perform set_config('infirmary.session_id', current_setting('infirmary.session_id'), false);
        perform set_config('infirmary.session_secret', current_setting('infirmary.session_secret'), false);
        return 1;
      end $$`);
    await Promise.all(
      tokens.map((token) => api.graphql('{ patients(first: 1) { nodes { age } } }', {}, token)),
    );
    const strangers = await Promise.all(tokens.map(() => api.graphql('{ currentAccount { email } }')));
    assert.deepEqual(
      strangers.map(({ data }) => data.currentAccount),
      tokens.map(() => null),
    );
  });

  test('50 wrong passwords at once lock the account as five in a row do', async () => {
    const { email } = hospital.patients[7]!;
    const logIn =
      'mutation ($e: String!, $p: String!) { logIn(input: { email: $e, password: $p }) { result { role } } }';
    const guesses = await Promise.all(
      Array.from({ length: 50 }, () => api.graphql(logIn, { e: email, p: 'guess' })),
    );
    assert.deepEqual([...new Set(guesses.flatMap(codes))], ['LOGIN_REFUSED']);
    assert.deepEqual(codes(await api.graphql(logIn, { e: email, p: PASSWORD })), ['LOGIN_REFUSED']);
    const locked = await value(
      api.owner,
      'select locked_until > now() from hospital_private.accounts where email = $1',
      [email],
    );
    assert.equal(locked, true);
  });
});

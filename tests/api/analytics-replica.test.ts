import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../../tools/api/server.ts';
import { openPair } from '../support/standby.ts';
import { until } from '../support/worker.ts';
import { type Answer, codes, KEYS, send } from './support/api.ts';
import { addStaff, furnish, tokenFor } from './support/hospital.ts';

const visits = '{ monthlyVisits(first: 5) { nodes { visits dataAsOf } } }';

test('analytics are answered by the standby, as of when it says, and nothing else is', async (t) => {
  const pair = await openPair(t);
  const { primary, standby, owner, onStandby } = pair;
  const hospital = await furnish(owner, { doctors: 1, patients: 12 });
  const person = await addStaff(owner, hospital, 'administrator', 'administrator');
  const token = await tokenFor(owner, person, 'administrator');
  const api = await serve({
    databaseUrl: primary.url('hospital_authenticator'),
    analyticsDatabaseUrl: standby.url('hospital_authenticator'),
    jwtKeys: KEYS,
    environment: 'development',
  });
  pair.later(() => api.stop());
  const ask = (query: string, as: string | undefined = token): Promise<Answer> => send(api.url, { query }, as);
  const load = async (): Promise<void> => {
    for (const job of ['load_warehouse', 'refresh_views']) {
      await owner.query(`begin isolation level repeatable read; select ops.${job}(); commit`);
    }
  };
  /** One visit of each patient, and the warehouse brought up to it. */
  const visit = async (day: string): Promise<void> => {
    await owner.query(
      `with appointment as (
         insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at, status)
         select p.id, $1, $2, $3::date + time '08:00' at time zone 'UTC' + row_number() over () * interval '40 minutes', 'completed'
         from hospital.patients as p
         returning id, patient_id, doctor_id, starts_at
       )
       insert into hospital.visits (appointment_id, patient_id, doctor_id, started_at, ended_at)
       select id, patient_id, doctor_id, starts_at, starts_at + interval '20 minutes' from appointment`,
      [hospital.doctors[0]!.id, hospital.typeId, day],
    );
    await load();
  };
  const told = (answer: Answer): { visits: string; dataAsOf: string }[] => {
    assert.deepEqual(answer.errors, []);
    return answer.data.monthlyVisits.nodes;
  };
  const total = (answer: Answer): number => told(answer).reduce((sum, node) => sum + Number(node.visits), 0);

  await visit('2024-03-05');
  await pair.caughtUp();
  assert.equal(total(await ask(visits)), 12);

  // Halted, the standby shows who answers: it knows nothing of the second day.
  await onStandby.query('select pg_wal_replay_pause()');
  const before = told(await ask(visits))[0]!.dataAsOf;
  await visit('2024-03-06');
  const halted = await ask(visits);
  assert.equal(total(halted), 12);
  assert.equal(told(halted)[0]!.dataAsOf, before, 'an old answer says that it is old');
  assert.equal(total(await ask(`query q { ...f } fragment f on Query { ${visits.slice(1, -1)} __typename }`)), 12);
  const mixed = await ask(`{ ${visits.slice(1, -1)} departments(first: 1) { nodes { name } } }`);
  assert.equal(total(mixed), 24, 'asked together with the record it is the primary that answers');
  assert.ok(told(mixed)[0]!.dataAsOf > before);

  // A session the standby has not heard of yet is answered all the same, and one that has ended is not.
  const fresh = await tokenFor(owner, person, 'administrator');
  assert.equal(total(await ask(visits, fresh)), 24);
  const leaving = await ask('mutation { logOut(input: {}) { clientMutationId } }');
  assert.deepEqual(leaving.errors, [], 'mutations go to the primary');
  const gone = await ask(visits);
  assert.notDeepEqual(codes(gone), [], 'who has logged out is out, though the standby does not know');
  assert.equal(gone.text.includes('"visits"'), false);
  const { rows } = await onStandby.query('select count(*)::integer as live from hospital_private.sessions where revoked_at is null');
  assert.equal(rows[0].live, 1, 'there it still looks alive');

  await onStandby.query('select pg_wal_replay_resume()');
  await pair.caughtUp();
  assert.equal(total(await ask(visits, fresh)), 24);

  // Gone, it is said; the record is served as ever, and nothing comes back upon the primary.
  await standby.release();
  await until(async () => codes(await ask(visits, fresh)).includes('ANALYTICS_UNAVAILABLE'));
  const answer = await ask(visits, fresh);
  assert.deepEqual(codes(answer), ['ANALYTICS_UNAVAILABLE']);
  assert.equal(answer.text.includes('127.0.0.1'), false);
  assert.deepEqual((await ask('{ departments(first: 1) { nodes { name } } }', fresh)).errors, []);
});

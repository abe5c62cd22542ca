import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { serve, type RunningApi } from '../../tools/api/server.ts';
import { statusOf, stopStaying } from '../../tools/cluster/embedded.ts';
import { openHome } from '../../tools/cluster/home.ts';
import { acquireServer, type Server } from '../../tools/cluster/server.ts';
import { createStandby } from '../../tools/standby/create.ts';
import { promoteStandby } from '../../tools/standby/promote.ts';
import { statusOfStandbys } from '../../tools/standby/status.ts';
import { codes, KEYS, send } from '../api/support/api.ts';
import { addStaff, furnish, hoursAhead, PASSWORD, tokenFor } from '../api/support/hospital.ts';
import { valueOf } from '../support/cluster.ts';
import { spawnWork, until } from '../support/worker.ts';
import { column, follow, type Losable, openHospital } from './support.ts';

const limit = 64e6;

function openApi({ later }: Losable, server: Server, analytics?: Server): Promise<RunningApi> {
  const api = serve({
    databaseUrl: server.url('hospital_authenticator'),
    ...(analytics && { analyticsDatabaseUrl: analytics.url('hospital_authenticator') }),
    jwtKeys: KEYS,
    environment: 'development',
  });
  later(async () => (await api).stop());
  return api;
}

test('the hospital moves to its standby and back: sessions, log-ins, bookings and jobs go on, and nothing is lost', async (t) => {
  const hospital = await openHospital(t);
  const { settings, server, spare, connect, later } = hospital;
  const owner = await connect(server.url('hospital_owner'));
  const house = await furnish(owner, { doctors: 1, patients: 1 });
  const reception = await addStaff(owner, house, 'reception', 'receptionist');
  const token = await tokenFor(owner, reception, 'reception');
  const administrator = await tokenFor(owner, await addStaff(owner, house, 'administrator', 'administrator'), 'administrator');
  const book = async (api: RunningApi, hours: number): Promise<string> => {
    const i = { patientId: house.patients[0]!.id, doctorId: house.doctors[0]!.id, appointmentTypeId: house.typeId, startsAt: hoursAhead(hours) };
    const query = 'mutation ($i: BookAppointmentInput!) { bookAppointment(input: $i) { appointment { id } } }';
    const answer = await send(api.url, { query, variables: { i } }, token);
    assert.deepEqual(answer.errors, []);
    return answer.data.bookAppointment.appointment.id;
  };

  await follow(hospital);
  const second = await acquireServer(spare);
  later(() => second.release());
  // While the primary lives, the standby answers analytics and is in nobody's way.
  const before = await openApi(hospital, server, second);
  const visits = '{ monthlyVisits(first: 1) { nodes { visits } } }';
  await until(async () => codes(await send(before.url, { query: visits }, administrator)).length === 0);
  const first = await book(before, 48);

  // A planned move: what stops in order sends everything first, though no commit waited for the standby.
  await assert.rejects(promoteStandby(settings, spare.home), /The primary runs/);
  assert.equal(await valueOf(second.url('postgres'), 'select pg_is_in_recovery()'), true, 'refused, it follows as before');
  await before.stop();
  await owner.end();
  await server.release();
  assert.equal(statusOf(settings).running, false);
  const promoted = await promoteStandby(settings, spare.home);
  assert.deepEqual([promoted.timeline, promoted.retired], [2, true]);
  await assert.rejects(promoteStandby(settings, spare.home), /no standby in/, 'it is none any more');

  // The old one does not come back by itself, whatever command is given there.
  await assert.rejects(acquireServer(settings), /has taken its place/);
  const lost = await statusOfStandbys(settings, limit);
  assert.equal(lost.primary.reachable, false);
  assert.match(lost.problems[0]!.problem, /does not run/);
  assert.equal(statusOf(settings).running, false, 'to be asked how it is has not started it');

  const after = await openApi(hospital, second);
  const whose = await send(after.url, { query: '{ currentAccount { email } }' }, token);
  assert.equal(whose.data.currentAccount.email, reception.email, 'the session of before');
  const logIn = `mutation { logIn(input: {email: "${reception.email}", password: "${PASSWORD}"}) { result { accessToken } } }`;
  assert.ok((await send(after.url, { query: logIn })).data.logIn.result.accessToken);
  const there = await connect(second.url('hospital_owner'));
  assert.deepEqual(await column(there, 'select id from hospital.appointments'), [first]);
  const next = await book(after, 49);
  assert.ok(BigInt(next) > BigInt(first), 'a sequence may jump at a failover, never go back');
  const worker = spawnWork(second.url('hospital_worker'), '--once');
  later(async () => worker.child.kill('SIGKILL'));
  assert.equal(await worker.ended, 0, worker.said());

  // And back: the old server's folder becomes the standby, and then the hospital again.
  await assert.rejects(createStandby(spare, { into: settings.home, name: 'first', synchronous: false, erase: false }), /is not empty/);
  const again = await createStandby(spare, { into: settings.home, name: 'first', synchronous: true, erase: true });
  assert.ok(existsSync(again.aside!), 'what the old server had and nobody else may is set aside');
  const last = await book(after, 50);
  await after.stop();
  await there.end();
  await second.release();
  await stopStaying(spare);
  assert.equal((await promoteStandby(spare, settings.home)).timeline, 3);
  const back = await acquireServer(settings);
  later(() => back.release());
  const home = await connect(back.url('hospital_owner'));
  assert.deepEqual(await column(home, 'select id from hospital.appointments order by id'), [first, next, last]);
  assert.deepEqual(await column(home, 'show synchronous_standby_names'), [''], 'alone it waits for nobody');
  await home.query(`insert into hospital.facilities (name, time_zone) values ('At home again', 'UTC')`);
  assert.equal(existsSync(openHome(spare.home).replaced), true);
});

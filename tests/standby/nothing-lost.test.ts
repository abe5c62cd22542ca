import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { serve } from '../../tools/api/server.ts';
import { statusOf } from '../../tools/cluster/embedded.ts';
import { acquireServer } from '../../tools/cluster/server.ts';
import { codeOf } from '../../tools/failure.ts';
import { promoteStandby } from '../../tools/standby/promote.ts';
import { KEYS, send } from '../api/support/api.ts';
import { addStaff, furnish, hoursAhead, tokenFor } from '../api/support/hospital.ts';
import { killAll } from '../support/cluster.ts';
import { until } from '../support/worker.ts';
import { column, follow, type Losable, openHospital } from './support.ts';

const writers = 4;

/** What was acknowledged: numbers written in SQL, and appointments booked through the API. */
interface Ledger {
  numbers: Set<number>;
  appointments: Set<string>;
  /** Settles when no writer can go on. */
  done: Promise<unknown>;
}

/** Writers in SQL and through the API, until they can no longer. Each notes what it was told is done. */
async function writeBoth({ server, connect, later }: Losable): Promise<Ledger> {
  const owner = await connect(server.url('hospital_owner'));
  const hospital = await furnish(owner, { doctors: writers, patients: writers });
  const token = await tokenFor(owner, await addStaff(owner, hospital, 'reception', 'receptionist'), 'reception');
  await owner.query('create table ops.ledger (n integer primary key)');
  const api = await serve({ databaseUrl: server.url('hospital_authenticator'), jwtKeys: KEYS, environment: 'development' });
  later(() => api.stop());
  const [numbers, appointments] = [new Set<number>(), new Set<string>()];
  let next = 0;
  const inSql = async (): Promise<void> => {
    const client = new Client({ connectionString: server.url('hospital_owner') });
    client.on('error', () => {});
    await client.connect();
    try {
      for (;;) {
        const n = ++next;
        await client.query('insert into ops.ledger values ($1)', [n]);
        numbers.add(n);
      }
    } catch (error) {
      // How every writer ends here, unless its statement is wrong.
      if (codeOf(error)?.startsWith('42')) throw error;
    } finally {
      await client.end().catch(() => {});
    }
  };
  const throughApi = async (n: number): Promise<void> => {
    const book = 'mutation ($i: BookAppointmentInput!) { bookAppointment(input: $i) { appointment { id } } }';
    for (let hours = 48; ; hours += 1) {
      const i = {
        patientId: hospital.patients[n]!.id,
        doctorId: hospital.doctors[n]!.id,
        appointmentTypeId: hospital.typeId,
        startsAt: hoursAhead(hours),
      };
      const answer = await send(api.url, { query: book, variables: { i } }, token);
      if (answer.errors.length > 0) return;
      appointments.add(answer.data.bookAppointment.appointment.id);
    }
  };
  const each = Array.from({ length: writers }, (_, n) => [inSql(), throughApi(n)]).flat();
  return { numbers, appointments, done: Promise.all(each) };
}

/**
 * Kills every process of the primary while the log does not reach the standby, promotes it, and counts what was
 * acknowledged and is not there.
 */
async function lostWhenHeldBack(t: TestContext, synchronous: boolean): Promise<{ numbers: number; appointments: number }> {
  const hospital = await openHospital(t);
  const { settings, server, spare, connect } = hospital;
  await follow(hospital, synchronous);
  const admin = await connect(server.url('postgres'));
  const ledger = await writeBoth(hospital);
  const written = async (numbers: number, appointments: number): Promise<void> => {
    while (ledger.numbers.size < numbers || ledger.appointments.size < appointments) await sleep(5);
  };
  await Promise.race([ledger.done, written(200, 12)]);
  const [sender] = await column(admin, `select pid from pg_stat_replication where application_name = 'second'`);
  process.kill(Number(sender), 'SIGSTOP');
  const before = { numbers: ledger.numbers.size, appointments: ledger.appointments.size };
  if (synchronous) {
    const waiting = `select count(*)::integer from pg_stat_activity where wait_event = 'SyncRep'`;
    await until(async () => (await column(admin, waiting))[0] === 2 * writers);
  } else {
    await Promise.race([ledger.done, written(before.numbers + 200, before.appointments + 12)]);
  }
  killAll(settings);
  await ledger.done;
  await until(async () => !statusOf(settings).running);
  assert.ok(ledger.numbers.size >= 200 && ledger.appointments.size >= 12);

  await promoteStandby(settings, spare.home);
  const second = await acquireServer(spare);
  hospital.later(() => second.release());
  const there = await connect(second.url('hospital_owner'));
  const numbers = new Set(await column(there, 'select n from ops.ledger'));
  const appointments = new Set(await column(there, 'select id from hospital.appointments'));
  return {
    numbers: [...ledger.numbers].filter((n) => !numbers.has(n)).length,
    appointments: [...ledger.appointments].filter((id) => !appointments.has(id)).length,
  };
}

test('with a synchronous standby kill -9 of every process of the primary loses nothing that was acknowledged', async (t) => {
  assert.deepEqual(await lostWhenHeldBack(t, true), { numbers: 0, appointments: 0 });
});

test('without, the same loses acknowledged writes, in SQL and through the API, so the test can fail', async (t) => {
  const lost = await lostWhenHeldBack(t, false);
  assert.ok(lost.numbers > 0, `${lost.numbers} numbers`);
  assert.ok(lost.appointments > 0, `${lost.appointments} appointments`);
});

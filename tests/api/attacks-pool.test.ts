import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { ACCOUNT_ROLES } from '../../tools/api/identity.ts';
import { serve, type RunningApi } from '../../tools/api/server.ts';
import { codes, KEYS, send, startApi, type TestApi } from './support/api.ts';
import { furnish, hoursAhead, value, type Hospital } from './support/hospital.ts';
import { askAs, disturb, gather, type Member } from './support/members.ts';
import { stopping } from './support/stopping.ts';
import { subscribe } from './support/subscriber.ts';

describe('many people on few connections', () => {
  let api: TestApi;
  let hospital: Hospital;
  let people: Member[];
  let superuser: Client;

  before(async () => {
    api = await startApi();
    superuser = new Client({ connectionString: api.database.url('postgres') });
    await superuser.connect();
    stopping.push(() => superuser.end());
    ({ hospital, people } = await gather(api));
  });

  const open = async (poolSize: number): Promise<RunningApi> => {
    const running = await serve({ databaseUrl: api.database.url('hospital_authenticator'), jwtKeys: KEYS, environment: 'development', poolSize });
    stopping.push(running.stop);
    return running;
  };
  const sleepers = async (): Promise<number[]> =>
    (await superuser.query(`select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)).rows.map(({ pid }) => pid);

  test('on one connection nothing of a request that failed, was broken off, cancelled or killed is left for the next', async () => {
    const { url } = await open(1);
    const [patient, other] = people as [Member, Member];
    const end = async (command: string): Promise<void> => {
      while ((await sleepers()).length === 0) await wait(5);
      for (const pid of await sleepers()) await superuser.query(`select ${command}($1)`, [pid]);
    };
    const disturbances: [string, () => Promise<unknown>][] = [
      ['a division by zero', async () => assert.deepEqual(codes(await disturb(url, patient, 'dividing')), ['BAD_VALUE'])],
      ['an exception', async () => assert.deepEqual(codes(await disturb(url, patient, 'raising')), ['INTERNAL_ERROR'])],
      ['settings made for the session', async () => assert.deepEqual((await disturb(url, patient, 'settling')).errors ?? [], [])],
      ['a statement cancelled, as its time limit does', async () => {
        const [answer] = await Promise.all([disturb(url, patient, 'sleeping'), end('pg_cancel_backend')]);
        assert.deepEqual(codes(answer), ['TIMEOUT']);
      }],
      ['a connection killed', async () => {
        const [answer] = await Promise.all([disturb(url, patient, 'sleeping'), end('pg_terminate_backend')]);
        assert.deepEqual(codes(answer), ['UNAVAILABLE']);
      }],
      ['a client that hung up', async () => {
        const hangUp = new AbortController();
        const asked = disturb(url, patient, 'sleeping', hangUp.signal);
        while ((await sleepers()).length === 0) await wait(5);
        hangUp.abort();
        await assert.rejects(asked);
        await end('pg_cancel_backend');
      }],
    ];
    for (const [name, disturbance] of disturbances) {
      await disturbance();
      await assert.doesNotReject(askAs(url, undefined, 'anonymous-1'), name);
      await assert.doesNotReject(askAs(url, other, 'other-00001'), name);
      await assert.doesNotReject(askAs(url, undefined, 'anonymous-2'), name);
    }
  });

  test('400 requests of 43 people of every role, among failures, are each their own', async () => {
    const { url } = await open(5);
    const patients = people.filter(({ role }) => role === 'patient');
    // Forty at a time: all at once, the last would wait longer for a connection than anybody may.
    await Promise.all(
      Array.from({ length: 40 }, async (_, lane) => {
        for (let n = lane; n < 400; n += 40) {
          if (n % 9 === 8) await disturb(url, patients[n % patients.length]!, n % 2 ? 'dividing' : 'raising');
          await askAs(url, people[n % (people.length + 1)], `request-${String(n).padStart(4, '0')}`);
        }
      }),
    );
    assert.equal(new Set(people.map(({ role }) => role)).size, ACCOUNT_ROLES.length);
  });

  test('subscriptions of one person leave nothing to the requests between their events', async () => {
    const { url } = await open(2);
    const [patient, other] = people as [Member, Member];
    const subscriber = await subscribe(url, 'subscription { appointmentChanged { appointment { patient { id } } } }', patient.token);
    const listening = `select exists (select from pg_stat_activity where query = 'LISTEN "appointments:patient:${patient.id}"')`;
    while (!(await value(superuser, listening))) await wait(10);
    for (let n = 0; n < 5; n += 1) {
      const input = { patientId: patient.id, doctorId: hospital.doctors[n]!.id, appointmentTypeId: hospital.typeId, startsAt: hoursAhead(30 + n) };
      await send(url, { documentId: 'bookAppointment', variables: { input } }, patient.token);
      await Promise.all([askAs(url, undefined, 'anonymous-1'), askAs(url, other, 'other-00001'), askAs(url, undefined, 'anonymous-2')]);
      assert.equal((await subscriber.next()).data.appointmentChanged.appointment.patient.id, patient.id);
    }
    await subscriber.close();
  });
});

describe('the API’s own way into the database', () => {
  let api: TestApi;

  before(async () => {
    api = await startApi();
    await furnish(api.owner, { doctors: 1, patients: 1 });
  });

  test('no login role becomes one that owns, loads, copies or commands, and none turns row security off', async () => {
    for (const login of ['hospital_authenticator', 'hospital_worker', 'hospital_monitor'] as const) {
      const client = new Client({ connectionString: api.database.url(login) });
      await client.connect();
      for (const statement of [
        'set role hospital_owner',
        'set role postgres',
        'set role hospital_backup',
        'set session authorization hospital_owner',
        'set session authorization postgres',
        'set session_replication_role = replica',
        'alter role hospital_authenticator superuser',
        'alter role hospital_authenticator bypassrls',
        'create role intruder',
        'grant hospital_owner to hospital_authenticator',
        'create schema intruder',
        'create table hospital.intruder ()',
        'create temporary table intruder ()',
        'alter table hospital.patients disable row level security',
        'alter table hospital.patients disable trigger all',
        'set row_security = off; select * from hospital.patients',
        'select * from pg_authid',
        'select * from hospital_private.sessions',
        'select * from hospital_private.accounts',
        'select * from hospital_private.login_failures',
        `select pg_read_file('/etc/hostname')`,
        `copy (select 1) to program 'true'`,
        `select lo_import('/etc/hostname')`,
        `copy hospital.patients to stdout`,
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'`,
        `alter system set log_statement = 'all'`,
        `select hospital_private.start_session(1, 'administrator')`,
        `select hospital_private.note_login_failure('127.0.0.1')`,
        `select hospital_private.create_administrator('x@test.example', 'long enough to be one')`,
      ]) {
        const before = await value(client, 'select current_user || session_user');
        const outcome = await client.query(statement).then(
          ({ rowCount }) => (rowCount === 0 ? 'nothing' : 'done'),
          (error: { code: string }) => error.code,
        );
        assert.match(outcome, /^(42501|nothing)$/, `${login}: ${statement}`);
        await client.query('rollback');
        await client.query('set row_security = on');
        assert.equal(await value(client, 'select current_user || session_user'), before);
      }
      await client.end();
    }
  });

  test('taking on a role and dropping it again within a request shows no more than either', async () => {
    const client = new Client({ connectionString: api.database.url('hospital_authenticator') });
    await client.connect();
    for (const role of ACCOUNT_ROLES) {
      for (const way of [`set role hospital_${role}`, `set role hospital_${role}; reset role`, `set role hospital_${role}; set role none`, `set role hospital_${role}; set role hospital_administrator`]) {
        await client.query(way);
        const seen = await client.query('select from hospital.patients').then(({ rowCount }) => rowCount, (error: { code: string }) => error.code);
        assert.ok(seen === 0 || seen === '42501', `${way}: ${seen}`);
        await client.query('reset role');
      }
    }
    await client.end();
  });
});

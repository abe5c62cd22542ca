import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { codes, KEYS, send, startApi, type Answer, type TestApi } from '../api/support/api.ts';
import { hoursAhead, PASSWORD, type Hospital } from '../api/support/hospital.ts';
import { askAs, disturb, gather, type Member } from '../api/support/members.ts';
import { stopping } from '../api/support/stopping.ts';
import { subscribe } from '../api/support/subscriber.ts';
import { verifyToken } from '../../tools/api/identity.ts';
import { serve, type RunningApi, type ServeOptions } from '../../tools/api/server.ts';
import { startPooler, type Pooler } from '../../tools/bench/pooler.ts';
import { loginRoles } from '../../tools/cluster/secrets.ts';
import { assertInstalled } from '../../tools/worker/install.ts';
import { until } from '../support/worker.ts';

/* PgBouncer of Debian's package, with docs/pgbouncer.ini as it is. */

/** On a machine that stands still for a moment nobody is to be turned away. */
const FEW = ['default_pool_size = 2', 'query_wait_timeout = 120'];

describe('the API through PgBouncer', () => {
  let api: TestApi;
  let pooler: Pooler;
  let pooled: RunningApi;
  let hospital: Hospital;
  let people: Member[];
  let superuser: Client;

  const direct = (role: (typeof loginRoles)[number] = 'hospital_authenticator'): string => api.database.url(role);
  const openPooler = async (t: TestContext, ...lines: string[]): Promise<Pooler> => {
    const one = await startPooler({ adminUrl: direct('postgres'), lines });
    t.after(() => one.stop());
    return one;
  };
  const connect = async (t: TestContext, connectionString: string, options?: string): Promise<Client> => {
    const client = new Client({ connectionString, ...(options && { options }) });
    client.on('error', () => {});
    t.after(() => client.end().catch(() => {}));
    await client.connect();
    return client;
  };
  const options = (databaseUrl: string): ServeOptions => ({
    databaseUrl,
    subscriptionsUrl: `${direct()}?application_name=listening`,
    jwtKeys: KEYS,
    environment: 'development',
  });
  const ask = (documentId: string, variables: object, token?: string): Promise<Answer> =>
    send(pooled.url, { documentId, variables }, token);
  const book = (member: Member, doctor: number, startsAt: string): Promise<Answer> => {
    const input = { patientId: member.id, doctorId: hospital.doctors[doctor]!.id, appointmentTypeId: hospital.typeId, startsAt };
    return ask('bookAppointment', { input }, member.token);
  };
  /** Processes of the server that work for this hospital. */
  const activity = async (condition: string): Promise<number[]> =>
    (await superuser.query(`select pid from pg_stat_activity where datname = current_database() and ${condition}`)).rows.map(({ pid }) => pid);

  before(async () => {
    api = await startApi();
    superuser = new Client({ connectionString: direct('postgres') });
    await superuser.connect();
    stopping.push(() => superuser.end());
    ({ hospital, people } = await gather(api));
    // What it held of connections belongs to no measurement below.
    await api.stop();
    pooler = await startPooler({ adminUrl: direct('postgres'), lines: FEW });
    stopping.push(() => pooler.stop());
    pooled = await serve(options(pooler.through(direct())));
    stopping.push(() => pooled.stop());
  });

  test('2,000 requests of 43 people of every role, among failures, are each their own on two server processes', async () => {
    const patients = people.filter(({ role }) => role === 'patient');
    const pids = new Set<number>();
    let asking = true;
    const look = async (): Promise<void> => {
      while (asking) {
        for (const pid of await activity(`usename = 'hospital_authenticator' and application_name <> 'listening'`)) pids.add(pid);
        await sleep(20);
      }
    };
    // No more lanes than the API has connections, of which each waits for one of the two.
    const lanes = Array.from({ length: 8 }, async (_, lane) => {
      for (let n = lane; n < 2000; n += 8) {
        const kind = ['dividing', 'raising', 'settling'][Math.floor(n / 9) % 3]!;
        if (n % 9 === 8) await disturb(pooled.url, patients[n % patients.length]!, kind);
        await askAs(pooled.url, people[n % (people.length + 1)], `request-${String(n).padStart(4, '0')}`);
      }
    });
    const [outcome] = await Promise.all([Promise.allSettled(lanes).finally(() => (asking = false)), look()]);
    assert.deepEqual(outcome.flatMap((each) => (each.status === 'rejected' ? [each.reason] : [])), []);
    assert.ok(pids.size >= 1 && pids.size <= 2, `${pids.size} server processes`);
  });

  test('logging in, booking, refusals and reports work, and of eight who want one time at once one gets it', async () => {
    const [patient] = people as [Member];
    const { logIn } = (await ask('logIn', { email: patient.email, password: PASSWORD })).data;
    const token = logIn.result.accessToken as string;
    const startsAt = hoursAhead(50);
    const booked = await book({ ...patient, token }, 0, startsAt);
    assert.deepEqual(booked.errors, []);
    assert.deepEqual(codes(await book(patient, 0, startsAt)), ['SLOT_TAKEN']);
    assert.deepEqual(codes(await ask('logIn', { email: patient.email, password: 'wrong' })), ['LOGIN_REFUSED']);

    const wanted = await Promise.all(people.slice(1, 9).map((member) => book(member, 1, startsAt)));
    assert.equal(wanted.filter(({ errors }) => errors.length === 0).length, 1);
    assert.ok(wanted.flatMap(codes).every((code) => code === 'SLOT_TAKEN' || code === 'TRY_AGAIN'));

    const administrator = people.find(({ role }) => role === 'administrator')!;
    const [from, to] = [startsAt, hoursAhead(51)].map((instant) => instant.slice(0, 10));
    const report = await fetch(new URL(`/reports/appointments.csv?from=${from}&to=${to}`, pooled.url), {
      headers: { authorization: `Bearer ${administrator.token}` },
    });
    assert.equal(report.status, 200);
    assert.ok((await report.text()).split('\n').length > 2);

    await ask('logOut', {}, token);
    assert.equal((await send(pooled.url, { query: '{ currentAccount { email } }' }, token)).data.currentAccount, null);
  });

  test('subscriptions hear past the pooler what is done through it', async () => {
    const [patient] = people as [Member];
    const subscriber = await subscribe(pooled.url, 'subscription { appointmentChanged { appointment { id patient { id } } } }', patient.token);
    await until(async () => (await activity(`query = 'LISTEN "appointments:patient:${patient.id}"'`)).length === 1);
    const { id } = (await book(patient, 2, hoursAhead(70))).data.bookAppointment.appointment;
    const event = await subscriber.next();
    assert.deepEqual(event.data.appointmentChanged.appointment, { id, patient: { id: patient.id } });
    assert.deepEqual(await subscriber.close(), []);
  });

  test('a client that dies, a server process that is killed and a request that hangs up leave nothing behind', async (t) => {
    const [patient, other] = people as [Member, Member];
    const { sessionId, sessionSecret } = verifyToken(KEYS, patient.token);
    const dying = await connect(t, pooler.through(direct()));
    await dying.query('begin');
    await dying.query(
      `select set_config('role', 'hospital_patient', true), set_config('infirmary.session_id', $1, true), set_config('infirmary.session_secret', $2, true)`,
      [sessionId, sessionSecret],
    );
    await dying.query('select hospital.log_out()');
    (dying as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await until(async () => (await activity(`state = 'idle in transaction'`)).length === 0);
    await askAs(pooled.url, undefined, 'anonymous-1');
    await askAs(pooled.url, patient, 'patient-00001');

    const sleepers = (): Promise<number[]> => activity(`wait_event = 'PgSleep'`);
    const killed = disturb(pooled.url, patient, 'sleeping');
    const [answer] = await Promise.all([
      killed,
      (async () => {
        await until(async () => (await sleepers()).length > 0);
        for (const pid of await sleepers()) await superuser.query('select pg_terminate_backend($1)', [pid]);
      })(),
    ]);
    assert.deepEqual(codes(answer), ['UNAVAILABLE']);

    const hangUp = new AbortController();
    const hung = assert.rejects(disturb(pooled.url, patient, 'sleeping', hangUp.signal));
    await until(async () => (await sleepers()).length > 0);
    hangUp.abort();
    await hung;
    for (const pid of await sleepers()) await superuser.query('select pg_cancel_backend($1)', [pid]);
    for (const member of [undefined, other, patient, undefined]) await askAs(pooled.url, member, 'afterwards-1');
  });

  test('what is set for the session and not for the transaction would show one person’s rows to the next, but for docs/pgbouncer.ini', async (t) => {
    const [patient] = people as [Member];
    const { sessionId, sessionSecret } = verifyToken(KEYS, patient.token);
    const foundByTheNext = async (...lines: string[]): Promise<unknown> => {
      const own = await openPooler(t, 'default_pool_size = 1', ...lines);
      const through = own.through(direct());
      const [first, next] = [await connect(t, through), await connect(t, through)];
      await first.query(
        `select set_config('role', 'hospital_patient', false), set_config('infirmary.session_id', $1, false), set_config('infirmary.session_secret', $2, false)`,
        [sessionId, sessionSecret],
      );
      await first.query('select pg_advisory_lock($1)', [own.pid]);
      const locks = await next.query(`select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`);
      const patients = await next.query('select id from hospital.patients').then(
        ({ rows }) => rows.map(({ id }) => id),
        (error) => error.code,
      );
      return { patients, locks: locks.rowCount };
    };
    const leaked = await foundByTheNext('server_reset_query_always = 0');
    assert.deepEqual(leaked, { patients: [patient.id], locks: 1 }, 'the leak is there to be seen');
    assert.deepEqual(await foundByTheNext(), { patients: '42501', locks: 0 });

    // The API says of every request all that a request is, so it would be safe without.
    await pooler.reload(['default_pool_size = 1', 'server_reset_query_always = 0']);
    t.after(() => pooler.reload(FEW));
    assert.deepEqual((await disturb(pooled.url, patient, 'settling')).errors ?? [], []);
    for (const member of [undefined, people[1], undefined, people.at(-1)]) await askAs(pooled.url, member, 'after-another');
  });

  test('nothing is prepared on the server processes, where it would fail', async (t) => {
    const through = pooler.through(direct());
    await Promise.all(people.slice(0, 12).map((member, n) => askAs(pooled.url, member, `prepared-${n}00`)));
    const [one, two] = [await connect(t, through), await connect(t, through)];
    await Promise.all([one.query('begin'), two.query('begin')]);
    for (const client of [one, two]) {
      const { rows } = await client.query('select name from pg_prepared_statements');
      assert.deepEqual(rows, []);
      await client.query('commit');
    }

    const fresh = (await openPooler(t)).through(direct());
    const [first, next] = [await connect(t, fresh), await connect(t, fresh)];
    await first.query({ name: 'who', text: 'select current_user' });
    await next.query('begin');
    await assert.rejects(first.query({ name: 'who', text: 'select current_user' }), { code: '26000' });
    await next.query('commit');
  });

  test('the limits of the role hold on a server process of the pooler', async (t) => {
    const client = await connect(t, pooler.through(direct()));
    const { rows } = await client.query(
      `select current_user as who, current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
         current_setting('idle_in_transaction_session_timeout') as idle, current_setting('jit_optimize_above_cost') as jit`,
    );
    assert.deepEqual(rows, [{ who: 'hospital_authenticator', statement: '10s', lock: '5s', idle: '15s', jit: '-1' }]);
  });

  test('only hospital_authenticator passes, only to the hospital, and nobody reaches the console', async (t) => {
    for (const role of loginRoles.filter((each) => each !== 'hospital_authenticator')) {
      await connect(t, direct(role));
      await assert.rejects(connect(t, pooler.through(direct(role))), /authentication failed/, role);
    }
    const to = (change: (url: URL) => void): string => {
      const url = new URL(pooler.through(direct()));
      change(url);
      return url.href;
    };
    await connect(t, to(() => {}));
    await assert.rejects(connect(t, to((url) => (url.password = 'wrong'))), /authentication failed/);
    for (const database of ['pgbouncer', 'postgres', api.database.name]) {
      await assert.rejects(connect(t, to((url) => (url.pathname = `/${database}`))), /no such database|not allowed/, database);
    }
    for (const user of ['pgbouncer', 'postgres', 'stats']) {
      const console = to((url) => Object.assign(url, { pathname: '/pgbouncer', username: user }));
      await assert.rejects(connect(t, console), /authentication failed|no such user|not allowed/, user);
    }
    await assert.rejects(connect(t, to(() => {}), '-c role=hospital_administrator'), /unsupported startup parameter/);
    assert.doesNotMatch(pooler.said(), /unix/);
  });

  test('where a pooler would make something fail in silence, it is not begun', async (t) => {
    const through = pooler.through(direct());
    await assert.rejects(serve({ ...options(through), subscriptionsUrl: undefined }), /Subscribers would hear nothing/);
    await assert.rejects(serve({ ...options(through), subscriptionsUrl: through }), /Subscribers would hear nothing/);
    const statements = await openPooler(t, 'pool_mode = statement');
    await assert.rejects(serve(options(statements.through(direct()))), /takes no transactions/);
    const worker = new URL(direct('hospital_worker'));
    const forWorkers = await startPooler({
      adminUrl: direct('postgres'),
      lines: ['auth_type = any'],
      login: `user=hospital_worker password=${worker.password}`,
    });
    t.after(() => forWorkers.stop());
    await assert.rejects(assertInstalled(forWorkers.through(worker.href)), /The worker listens and holds locks/);
  });

  test('put into statement mode under a running API, requests fail and do nothing, until it is put right', async (t) => {
    const [patient] = people as [Member];
    t.after(() => pooler.reload(FEW));
    await pooler.reload([...FEW, 'pool_mode = statement']);
    await until(async () => codes(await send(pooled.url, { query: '{ claimsLeft }' }, patient.token)).length > 0);
    for (const answer of [await send(pooled.url, { query: '{ claimsLeft }' }, patient.token), await book(patient, 3, hoursAhead(90))]) {
      assert.deepEqual(codes(answer), ['UNAVAILABLE']);
      assert.ok(!answer.text.includes(verifyToken(KEYS, patient.token).sessionId));
    }
    await pooler.reload(FEW);
    await until(async () => codes(await send(pooled.url, { query: '{ claimsLeft }' }, patient.token)).length === 0);
    assert.deepEqual((await book(patient, 3, hoursAhead(90))).errors, []);
  });

  test('whom no server process serves in five seconds is told so, and nothing of it happens later', async (t) => {
    const [patient] = people as [Member];
    const own = await openPooler(t, 'default_pool_size = 2', 'idle_transaction_timeout = 0');
    const waiting = await serve(options(own.through(direct())));
    t.after(() => waiting.stop());
    const holders = [await connect(t, own.through(direct())), await connect(t, own.through(direct()))];
    for (const holder of holders) await holder.query('begin; set local idle_in_transaction_session_timeout = 0');
    const input = { patientId: patient.id, doctorId: hospital.doctors[3]!.id, appointmentTypeId: hospital.typeId, startsAt: hoursAhead(95) };
    const answer = await send(waiting.url, { documentId: 'bookAppointment', variables: { input } }, patient.token);
    assert.deepEqual(codes(answer), ['UNAVAILABLE']);
    for (const holder of holders) await holder.query('commit');
    assert.deepEqual((await book(patient, 3, hoursAhead(95))).errors, [], 'it was not booked after all');
  });

  test('while the pooler is gone the API says UNAVAILABLE, and goes on when it is back', async () => {
    const [patient] = people as [Member];
    const port = Number(new URL(pooler.through(direct())).port);
    await pooler.stop();
    for (let n = 0; n < 12; n += 1) assert.deepEqual(codes(await book(patient, 4, hoursAhead(100))), ['UNAVAILABLE']);
    assert.equal((await fetch(new URL('/readyz', pooled.url))).status, 503);
    assert.equal((await fetch(new URL('/livez', pooled.url))).status, 200);
    pooler = await startPooler({ adminUrl: direct('postgres'), lines: FEW, port });
    for (const member of [patient, undefined, people.at(-1)]) await askAs(pooled.url, member, 'back-again-1');
    assert.deepEqual((await book(patient, 4, hoursAhead(100))).errors, []);
  });
});

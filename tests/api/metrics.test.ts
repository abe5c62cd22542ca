import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { FIGURES } from '../../tools/metrics/figures.ts';
import { watchDatabase } from '../../tools/metrics/watch.ts';
import { parseExposition, type Family } from '../support/exposition.ts';
import { cloneDatabase, codes, send, startApi, type TestApi } from './support/api.ts';
import { furnish, hoursAhead, PASSWORD, tokenFor, type Hospital } from './support/hospital.ts';
import { subscribe } from './support/subscriber.ts';

const metricsOf = (api: { url: string }, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(new URL('/metrics', api.url), { method, headers });

async function scrape(api: { url: string }): Promise<{ text: string; families: Map<string, Family> }> {
  const response = await metricsOf(api);
  assert.equal(response.status, 200);
  const text = await response.text();
  return { text, families: parseExposition(text) };
}

/** The value of a sample, 0 when it is not there. */
function valueOf(families: Map<string, Family>, name: string, labels: Record<string, string> = {}): number {
  const samples = families.get(name)?.samples ?? [];
  return samples.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value ?? 0;
}

describe('/metrics', () => {
  let api: TestApi;
  let hospital: Hospital;
  let token: string;

  before(async () => {
    const database = await cloneDatabase();
    api = await startApi({ monitorUrl: database.url('hospital_monitor') });
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
  });

  const requests = (families: Map<string, Family>, kind: string, code: string): number =>
    valueOf(families, 'infirmary_api_requests_total', { kind, code });

  test('counts requests by what they ask for and the code they end with, and what was refused by which limit', async () => {
    const { families: before } = await scrape(api);
    const input = {
      patientId: hospital.patients[0]!.id, doctorId: hospital.doctors[0]!.id, appointmentTypeId: hospital.typeId, startsAt: hoursAhead(30),
    };
    const book = { documentId: 'bookAppointment', variables: { input } };
    assert.deepEqual(codes(await send(api.url, book, token)), []);
    assert.deepEqual(codes(await send(api.url, book, token)), ['SLOT_TAKEN']);
    await api.graphql('{ __typename }');
    await api.graphql('{ patients(first: 201) { nodes { id } } }', {}, token);
    await api.graphql('{ nonsense }');
    await send(api.url, { query: '{ __typename }' }, 'no token');
    await fetch(api.url, { method: 'POST', body: 'x'.repeat(10), headers: { 'content-type': 'text/plain' } });
    await fetch(api.url, { method: 'POST', body: `"${'x'.repeat(200_000)}"`, headers: { 'content-type': 'application/json' } });
    await fetch(new URL('/session', api.url), { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
    const { families: after } = await scrape(api);
    for (const [kind, code] of [
      ['mutation', 'OK'], ['mutation', 'SLOT_TAKEN'], ['query', 'OK'], ['query', 'PAGE_TOO_LARGE'], ['unreadable', 'BAD_REQUEST'],
      ['unreadable', 'UNAUTHENTICATED'], ['unreadable', 'MEDIA_TYPE_REFUSED'], ['unreadable', 'REQUEST_TOO_LARGE'], ['session', 'BAD_REQUEST'],
    ] as const) {
      assert.equal(requests(after, kind, code) - requests(before, kind, code), 1, `${kind} ${code}`);
    }
    const counted = after.get('infirmary_api_request_duration_seconds')!.samples.filter(({ name, labels }) => name.endsWith('_count') && labels['kind'] === 'mutation');
    assert.ok(counted[0]!.value >= 2);
  });

  test('counts what runs on websockets, and what was answered there', async () => {
    const subscriber = await subscribe(api.url, 'subscription { appointmentChanged { event } }', token);
    await assert.rejects(subscribe(api.url, 'subscription { nothing }', token).then((refused) => refused.next()));
    let families: Map<string, Family>;
    do ({ families } = await scrape(api));
    while (requests(families, 'subscription', 'OK') < 1 || requests(families, 'unreadable', 'BAD_REQUEST') < 1);
    assert.ok(valueOf(families, 'infirmary_api_websocket_operations') >= 1);
    await subscriber.close();
    do ({ families } = await scrape(api));
    while (valueOf(families, 'infirmary_api_websocket_operations') > 0);
  });

  test('tells how the pool and the database are doing', async () => {
    const { families } = await scrape(api);
    assert.ok(valueOf(families, 'infirmary_api_pool_connections', { pool: 'main', state: 'all' }) >= 1);
    assert.equal(valueOf(families, 'infirmary_database_up'), 1);
    assert.ok(valueOf(families, 'infirmary_database_size_bytes') > 1_000_000);
    assert.equal(families.get('infirmary_database_deadlocks_total')!.type, 'counter');
    assert.ok(families.has('process_cpu_seconds_total'));
  });

  test('every figure the database tells has a name, a sentence and the label it comes with', async () => {
    await api.owner.query(`
      insert into ops.job_runs (job, started_at, finished_at, outcome, affected_rows)
      values ('verify_audit_chain', '2026-11-20T10:00:00Z', '2026-11-20T10:00:05Z', 'succeeded', 0);
      insert into ops.backup_drills (backup, started_at, finished_at, restore_seconds, passed, checks)
      values ('good', '2026-11-22', '2026-11-22', 1, true, '[]')`);
    const watch = watchDatabase(api.database.url('hospital_monitor'), 0);
    const figures = (await watch.read())!;
    await watch.stop();
    for (const { name, label } of figures) {
      assert.ok(name in FIGURES, name);
      assert.equal(FIGURES[name]!.label !== undefined, label !== null, name);
    }
    // These are of servers with standbys, slots or an archive alone.
    const told = new Set(figures.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(FIGURES).filter((name) => !told.has(name) && !/^(replication_(slot|lag|synchronous)|wal_archive|database_last_replayed)/.test(name)),
      [],
    );
  });

  test('is what Prometheus reads, and tells nothing of a patient, whatever was asked', async () => {
    const [ann] = hospital.patients;
    await api.owner.query(`update hospital.patients set family_name = 'Unmistakable', given_name = 'Ludmilla' where id = $1`, [ann!.id]);
    const { rows } = await api.owner.query('select medical_record_number as mrn from hospital.patients where id = $1', [ann!.id]);
    const { mrn } = rows[0];
    assert.ok(mrn.length > 3);
    const words = ['Unmistakable', 'Ludmilla', ann!.email, mrn];
    for (const word of words) {
      const name = word.replaceAll(/\W/g, '_');
      await send(api.url, { query: `query ${name} { __typename }`, operationName: name, variables: { word } }, token, { 'x-request-id': word });
      await send(api.url, { query: `{ ${name} }` }, token);
      await send(api.url, { documentId: word });
      await send(api.url, { query: '{ __typename }', operationName: word });
      await fetch(new URL(`/${encodeURIComponent(word)}?${encodeURIComponent(word)}`, api.url), { method: 'PROPFIND', headers: { 'user-agent': word } });
      await api.call('logIn', { email: ann!.email, password: PASSWORD });
    }
    const before = await scrape(api);
    for (const word of words) assert.ok(!before.text.toLowerCase().includes(word.toLowerCase()), word);
    // Labels of the API are of closed lists: a client that asks for anything adds no series but of known codes.
    const labels = new Set(before.families.get('infirmary_api_requests_total')!.samples.map((sample) => sample.labels['kind']));
    for (const label of labels) assert.match(label!, /^(query|mutation|subscription|unreadable|session|report|probe|other)$/);
    assert.ok(before.families.get('infirmary_api_requests_total')!.samples.every((sample) => /^[A-Z_]+$/.test(sample.labels['code']!)));
  });
});

describe('who may read /metrics', () => {
  let open: TestApi;
  before(async () => {
    open = await startApi();
  });

  test('without a token a program on this machine may, and nobody for whom somebody passes it on', async () => {
    assert.equal((await metricsOf(open)).status, 200);
    for (const header of ['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'via', 'x-real-ip']) {
      assert.equal((await metricsOf(open, { [header]: '203.0.113.9' })).status, 404, header);
    }
    // A page of another site, and one whose own name points to this machine.
    assert.equal((await metricsOf(open, { origin: 'https://elsewhere.example' })).status, 404);
    const { hostname, port } = new URL(open.url);
    assert.match(await raw(hostname, Number(port), 'GET /metrics HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 404/);
    assert.match(await raw(hostname, Number(port), 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200/);
  });

  test('behind a proxy that is trusted, which also is on this machine, a token is needed', async () => {
    const behind = await startApi({ trustProxy: true });
    assert.equal((await metricsOf(behind)).status, 404);
  });

  test('with a token whoever has it may, and nobody else, also on this machine', async () => {
    const closed = await startApi({ metricsToken: 'a token of the tests' });
    const answers = async (authorization?: string): Promise<number> => (await metricsOf(closed, authorization ? { authorization } : {})).status;
    assert.equal(await answers(), 401);
    for (const wrong of ['Bearer a token of the test', 'Bearer', 'Bearer a token of the tests2', 'a token of the tests', 'Basic a token of the tests']) {
      assert.equal(await answers(wrong), 401, wrong);
    }
    assert.equal(await answers('Bearer a token of the tests'), 200);
    assert.equal((await metricsOf(closed, { authorization: 'Bearer a token of the tests', 'x-forwarded-for': '203.0.113.9' })).status, 200);
    const hospital = await furnish(closed.owner, { doctors: 0, patients: 1 });
    assert.equal(await answers(`Bearer ${await tokenFor(closed.owner, hospital.patients[0]!, 'patient')}`), 401);
  });

  test('it is read and not written', async () => {
    assert.equal((await metricsOf(open, {}, 'POST')).status, 405);
  });

  test('without a way into the database it tells of the API alone', async () => {
    const { families } = await scrape(open);
    assert.ok(families.has('infirmary_api_requests_total'));
    assert.ok(!families.has('infirmary_database_up'));
  });
});

describe('a database that is not there', () => {
  const known = async (api: { url: string }): Promise<[number, number]> => {
    const { families } = await scrape(api);
    return [valueOf(families, 'infirmary_database_up'), families.get('infirmary_database_size_bytes')!.samples.length];
  };

  test('is told as such, without an error, and without figures of yesterday', async () => {
    // Takes connections and says nothing, as a machine that hangs.
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      for (const port of [(silent.address() as AddressInfo).port, 1]) {
        const api = await startApi({ monitorUrl: `postgres://hospital_monitor:secret@127.0.0.1:${port}/hospital` });
        assert.deepEqual(await known(api), [0, 0]);
        await api.stop();
      }
    } finally {
      silent.close();
    }
  });

  test('figures vanish when the watcher is refused, and come back', async () => {
    const database = await cloneDatabase();
    const watch = watchDatabase(database.url('hospital_monitor'), 0);
    const superuser = new Client({ connectionString: database.url('postgres') });
    await superuser.connect();
    try {
      assert.ok((await watch.read())!.length > 10);
      await superuser.query('revoke execute on function ops.hospital_figures() from hospital_monitor');
      assert.equal(await watch.read(), undefined);
      await superuser.query('grant execute on function ops.hospital_figures() to hospital_monitor');
      assert.ok((await watch.read())!.length > 10);
      // Its connection is cut.
      await superuser.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'infirmary-metrics'`);
      while ((await watch.read()) === undefined) await wait(10);
    } finally {
      await superuser.end();
      await watch.stop();
    }
  });

  test('many scrapes at once are one question on one connection, and none takes a request’s', async () => {
    const database = await cloneDatabase();
    const superuser = new Client({ connectionString: database.url('postgres') });
    await superuser.connect();
    try {
      const url = database.url('hospital_monitor');
      const api = await startApi({ monitorUrl: url, poolSize: 1 });
      const answers = await Promise.all(Array.from({ length: 50 }, () => metricsOf(api)));
      assert.ok(answers.every(({ status }) => status === 200));
      const { rows } = await superuser.query(
        `select count(*)::integer as connections from pg_stat_activity where datname = current_database() and application_name = 'infirmary-metrics'`,
      );
      assert.deepEqual(rows, [{ connections: 1 }]);
      // The API's only connection is taken, and a scrape waits for nothing.
      const busy = new Client({ connectionString: api.database.url('hospital_owner') });
      await busy.connect();
      await busy.query('begin; lock table hospital.departments');
      const waiting = api.graphql('{ departments(first: 1) { nodes { id } } }');
      const waits = `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`;
      while ((await superuser.query(waits, [api.database.name])).rowCount === 0) await wait(10);
      assert.equal((await metricsOf(api)).status, 200);
      await busy.end();
      await waiting;
    } finally {
      await superuser.end();
    }
  });
});

async function raw(host: string, port: number, request: string): Promise<string> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, host, () => socket.write(request));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

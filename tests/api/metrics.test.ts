import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { before, describe, test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { makeMetrics, type MetricsOptions } from '../../tools/api/metrics.ts';
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
    const refused = await subscribe(api.url, 'subscription { nothing }', token);
    assert.equal((await refused.next()).errors[0].extensions.code, 'BAD_REQUEST');
    await refused.close();
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
    const { rows } = await api.owner.query('select mrn from hospital.patients where id = $1', [ann!.id]);
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

/** /metrics by itself, without an API behind it. */
async function serveMetrics(t: TestContext, options: Partial<MetricsOptions> = {}): Promise<{ url: string }> {
  const metrics = makeMetrics({ pools: {}, websockets: () => ({ connections: 0, operations: 0 }), trustProxy: false, ...options });
  const server = createServer((req, res) => void metrics.handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await options.watch?.stop();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

describe('who may read /metrics', () => {
  test('without a token a program on this machine may, and nobody for whom somebody passes it on', async (t) => {
    const open = await serveMetrics(t);
    assert.equal((await metricsOf(open)).status, 200);
    for (const header of ['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'via', 'x-real-ip']) {
      assert.equal((await metricsOf(open, { [header]: '203.0.113.9' })).status, 404, header);
    }
    // A page of another site, and one whose own name points to this machine.
    assert.equal((await metricsOf(open, { origin: 'https://elsewhere.example' })).status, 404);
    assert.match(await raw(open, 'elsewhere.example'), /^HTTP\/1\.1 404/);
    assert.match(await raw(open, 'localhost'), /^HTTP\/1\.1 200/);
  });

  test('from another machine nobody may without a token', async () => {
    const metrics = makeMetrics({ pools: {}, websockets: () => ({ connections: 0, operations: 0 }), trustProxy: false });
    for (const [remoteAddress, status] of [['10.0.0.7', 404], ['::ffff:10.0.0.7', 404], ['1127.0.0.1', 404], ['::1', 200], ['::ffff:127.0.0.1', 200]] as const) {
      const req = { socket: { remoteAddress }, headers: { host: 'localhost:5678' }, method: 'GET' };
      let answered = 0;
      const res = { getHeader: () => undefined, setHeader: () => {}, writeHead: (code: number) => (answered = code), end: () => {} };
      await metrics.handle(req as never, res as never);
      assert.equal(answered, status, remoteAddress);
    }
  });

  test('behind a proxy that is trusted, which also is on this machine, a token is needed', async (t) => {
    assert.equal((await metricsOf(await serveMetrics(t, { trustProxy: true }))).status, 404);
  });

  test('with a token whoever has it may, and nobody else, also on this machine', async (t) => {
    const closed = await serveMetrics(t, { token: 'a-token-of-the-tests' });
    const answers = async (authorization?: string): Promise<number> => (await metricsOf(closed, authorization ? { authorization } : {})).status;
    assert.equal(await answers(), 401);
    for (const wrong of ['Bearer a-token-of-the-test', 'Bearer', 'Bearer a-token-of-the-tests2', 'a-token-of-the-tests', 'Basic a-token-of-the-tests']) {
      assert.equal(await answers(wrong), 401, wrong);
    }
    assert.equal(await answers('Bearer a-token-of-the-tests'), 200);
    const passedOn = { authorization: 'Bearer a-token-of-the-tests', 'x-forwarded-for': '203.0.113.9' };
    assert.equal((await metricsOf(closed, passedOn)).status, 200);
  });

  test('it is read and not written', async (t) => {
    assert.equal((await metricsOf(await serveMetrics(t), {}, 'POST')).status, 405);
  });

  test('without a way into the database it tells nothing of it', async (t) => {
    const { families } = await scrape(await serveMetrics(t));
    assert.ok(families.has('infirmary_api_requests_total'));
    assert.ok(!families.has('infirmary_database_up'));
  });
});

describe('a database that is not there', () => {
  test('is told as such, without an error, and without figures of yesterday', async (t) => {
    // Takes connections and says nothing, as a machine that hangs.
    const silent = createTcpServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => void silent.close());
    for (const port of [(silent.address() as AddressInfo).port, 1]) {
      const watch = watchDatabase(`postgres://hospital_monitor:secret@127.0.0.1:${port}/hospital`);
      const { families } = await scrape(await serveMetrics(t, { watch }));
      assert.equal(families.get('infirmary_database_up')!.samples[0]!.value, 0);
      assert.deepEqual(families.get('infirmary_database_size_bytes')!.samples, []);
    }
  });

  test('figures vanish when the watcher is refused or cut off, and come back', async (t) => {
    const database = await cloneDatabase();
    const watch = watchDatabase(database.url('hospital_monitor'), 0);
    const superuser = new Client({ connectionString: database.url('postgres') });
    await superuser.connect();
    t.after(() => superuser.end());
    const api = await serveMetrics(t, { watch });
    const known = async (): Promise<[number, number]> => {
      const { families } = await scrape(api);
      return [valueOf(families, 'infirmary_database_up'), families.get('infirmary_database_size_bytes')!.samples.length];
    };
    assert.deepEqual(await known(), [1, 1]);
    await superuser.query('revoke execute on function ops.hospital_figures() from hospital_monitor');
    assert.deepEqual(await known(), [0, 0]);
    await superuser.query('grant execute on function ops.hospital_figures() to hospital_monitor');
    assert.deepEqual(await known(), [1, 1]);
    await superuser.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'infirmary-metrics'`);
    while ((await known())[0] === 0) await wait(10);
  });

  test('many scrapes at once are one question on one connection, asked again only when some seconds have passed', async (t) => {
    const database = await cloneDatabase();
    const superuser = new Client({ connectionString: database.url('postgres') });
    await superuser.connect();
    t.after(() => superuser.end());
    const watch = watchDatabase(database.url('hospital_monitor'), 3_600_000);
    const api = await serveMetrics(t, { watch });
    const texts = await Promise.all(Array.from({ length: 50 }, async () => (await scrape(api)).families.get('infirmary_database_commits_total')!.samples[0]!.value));
    assert.equal(new Set(texts).size, 1);
    const { rows } = await superuser.query(
      `select count(*)::integer as connections from pg_stat_activity where datname = current_database() and application_name = 'infirmary-metrics'`,
    );
    assert.deepEqual(rows, [{ connections: 1 }]);
  });
});

/** Asks for /metrics of a host of that name, which fetch would not. */
async function raw({ url }: { url: string }, host: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

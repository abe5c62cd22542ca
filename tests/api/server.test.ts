import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, describe, mock, test } from 'node:test';
import { serve } from '../../tools/api/server.ts';
import { codes, emptyDatabase, KEYS, send, startApi, type TestApi } from './support/api.ts';
import { furnish, PASSWORD, tokenFor } from './support/hospital.ts';
import { subscribe } from './support/subscriber.ts';

describe('the server', () => {
  let api: TestApi;
  let origin: string;

  before(async () => {
    api = await startApi();
    origin = new URL(api.url).origin;
  });

  test('says that it lives and that it is ready, with the figures of its pool', async () => {
    assert.deepEqual(await (await fetch(`${origin}/livez`)).json(), { ok: true });
    const ready = await fetch(`${origin}/readyz`);
    assert.equal(ready.status, 200);
    const body = (await ready.json()) as { ok: boolean; pool: Record<string, number> };
    assert.equal(body.ok, true);
    assert.deepEqual(Object.keys(body.pool), ['total', 'idle', 'waiting']);
  });

  test('answers other addresses and methods with an error of its own', async () => {
    assert.equal((await fetch(`${origin}/elsewhere`)).status, 404);
    assert.equal((await fetch(`${origin}/graphql?query={__typename}`)).status, 405);
  });

  test('sends headers that keep browsers from misusing the answers', async () => {
    const { headers } = await send(api.url, { query: '{ __typename }' });
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.match(headers.get('content-security-policy')!, /default-src 'none'/);
  });

  test('names each request, by the client’s id if it is plainly an id', async () => {
    const id = async (given: string): Promise<string | null> =>
      (await send(api.url, { query: '{ __typename }' }, undefined, { 'x-request-id': given })).headers.get(
        'x-request-id',
      );
    const ours = ['f81d4fae-7dec-41d0-a765-00a0c91e6bf6', '4BF92F3577B34DA6A3CE929D0E0E4736'];
    for (const given of ours) assert.equal(await id(given), given);
    // Letters and digits, and somebody's name and number all the same.
    for (const given of ['short', 'Ann-Adams-1980-02-14', 'MRN-00012345', 'deadbeef', `${ours[0]}0`]) {
      assert.match((await id(given))!, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      assert.notEqual(await id(given), given);
    }
    assert.match((await id('{"not": "an id", "at": "all"}'))!, /^[0-9a-f-]{36}$/);
  });

  test('offers Ruru in development only', async () => {
    const page = await fetch(`${origin}/ruru`, { headers: { accept: 'text/html' } });
    assert.equal(page.status, 200);
    assert.match(await page.text(), /ruru/i);
    const production = await startApi({ environment: 'production' });
    assert.equal((await fetch(new URL('/ruru', production.url))).status, 404);
  });

  test('logs requests as JSON without anything of their content', async () => {
    const logging = await startApi({ accessLog: true });
    const hospital = await furnish(logging.owner, { doctors: 0, patients: 1 });
    const written: string[] = [];
    const stderr = mock.method(process.stderr, 'write', (line: string) => written.push(line) > 0);
    await logging.call('logIn', { email: hospital.patients[0]!.email, password: PASSWORD });
    await fetch(new URL('/livez?patient=secret', logging.url));
    stderr.mock.restore();
    const [first, second] = written.map((line) => JSON.parse(line));
    assert.deepEqual(Object.keys(first), [
      'time',
      'level',
      'event',
      'method',
      'path',
      'status',
      'requestId',
      'kind',
      'code',
      'milliseconds',
    ]);
    assert.deepEqual([first.kind, first.code], ['mutation', 'OK']);
    assert.deepEqual([second.path, second.kind], ['/livez', 'probe']);
    assert.doesNotMatch(written.join(''), /secret|correct horse|test\.example/);
  });

  test('believes a proxy’s headers only when told to', async () => {
    const addressOf = async (options: { trustProxy?: boolean }): Promise<string> => {
      const behind = await startApi(options);
      await behind.owner.query(`
        create or replace function hospital.current_account() returns hospital.account
        language sql stable set search_path = ''
        as $$ select row(current_setting('infirmary.client_address'), null, null, null, null, null, null, null)::hospital.account $$`);
      const headers = { 'x-forwarded-for': 'forged, 203.0.113.9' };
      const answer = await send(behind.url, { query: '{ currentAccount { email } }' }, undefined, headers);
      return answer.data.currentAccount.email;
    };
    assert.equal(await addressOf({}), '127.0.0.1');
    assert.equal(await addressOf({ trustProxy: true }), '203.0.113.9');
  });

  test('takes the next port when its own is taken, unless it was told that one', async () => {
    const occupied = await new Promise<Server>((resolve) => {
      const server: Server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    });
    const { port } = occupied.address() as AddressInfo;
    const options = {
      databaseUrl: api.database.url('hospital_authenticator'),
      jwtKeys: KEYS,
      environment: 'development' as const,
      port,
    };
    await assert.rejects(serve(options), /is taken/);
    const next = await serve({ ...options, nextPortIfTaken: true });
    assert.ok(Number(new URL(next.url).port) > port);
    await next.stop();
    occupied.close();
  });

  test('does not start without its database, and leaves nothing open', async () => {
    const url = new URL(api.database.url('hospital_authenticator'));
    url.pathname = '/no_such_database';
    await assert.rejects(serve({ databaseUrl: url.href, jwtKeys: KEYS, environment: 'development' }));
  });

  test('does not start on a database that has not been migrated, and says what to do', async () => {
    const { url, drop } = await emptyDatabase();
    const databaseUrl = url('hospital_authenticator');
    await assert.rejects(serve({ databaseUrl, jwtKeys: KEYS, environment: 'development' }), {
      message: 'The database has not been migrated.',
      remedy: 'Run: infirmary migrate',
    });
    await drop();
  });

  test('stops while a request runs and a subscription is open, answering the request', async () => {
    const stopping = await startApi();
    const hospital = await furnish(stopping.owner, { doctors: 0, patients: 1 });
    const token = await tokenFor(stopping.owner, hospital.patients[0]!, 'patient');
    await stopping.owner.query(`
      create or replace function hospital.patients_age(patient hospital.patients) returns integer
      language sql stable set search_path = '' as $$ select 1 from pg_sleep(0.3) $$`);
    await subscribe(stopping.url, 'subscription { appointmentChanged { event } }', token);
    const running = stopping.graphql('{ patients(first: 1) { nodes { age } } }', {}, token);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await stopping.stop();
    assert.deepEqual((await running).data, { patients: { nodes: [{ age: 1 }] } });
    await assert.rejects(fetch(stopping.url));
  });
});

describe('registered documents', () => {
  test('in production nothing else is answered', async () => {
    const api = await startApi({ environment: 'production' });
    const own = await send(api.url, { query: '{ __typename }' });
    assert.deepEqual(codes(own), ['DOCUMENT_NOT_ALLOWED']);
    assert.equal(own.status, 400);
    const registered = await send(api.url, { documentId: 'departments' });
    assert.deepEqual(registered.data, { departments: { nodes: [] } });
    for (const documentId of ['../preset', 'none', 'constructor', 7, '']) {
      assert.deepEqual(codes(await send(api.url, { documentId, query: '{ __typename }' })), [
        'DOCUMENT_NOT_ALLOWED',
      ]);
    }
    const viaSocket = await (await subscribe(api.url, '{ __typename }')).next();
    assert.equal(viaSocket.errors[0].extensions.code, 'DOCUMENT_NOT_ALLOWED');
  });

  test('a refused request does not reach the log with its variables', async () => {
    const api = await startApi({ environment: 'production' });
    const written: string[] = [];
    const stderr = mock.method(process.stderr, 'write', (line: string) => written.push(line) > 0);
    const console_ = mock.method(
      console,
      'error',
      (...parts: unknown[]) => void written.push(JSON.stringify(parts)),
    );
    await send(api.url, { query: 'mutation { __typename }', variables: { password: 'secret' } });
    stderr.mock.restore();
    console_.mock.restore();
    assert.doesNotMatch(written.join(''), /secret/);
  });

  test('any document is answered in production where that is allowed on purpose', async () => {
    const api = await startApi({ environment: 'production', allowAnyDocument: true });
    assert.deepEqual((await send(api.url, { query: '{ __typename }' })).data, { __typename: 'Query' });
  });
});

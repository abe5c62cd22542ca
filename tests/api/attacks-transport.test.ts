import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as secureRequest } from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MAX_REQUEST_LENGTH } from '../../tools/api/preset.ts';
import { codes, send, startApi, type TestApi } from './support/api.ts';
import { dial, speak, untilClosed } from './support/raw.ts';

const ASK = JSON.stringify({ query: '{ __typename }' });
const HEADERS = ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'content-security-policy', 'cache-control'];

describe('what reaches the server', () => {
  let api: TestApi;
  let origin: string;

  before(async () => {
    api = await startApi();
    origin = new URL(api.url).origin;
  });

  const post = async (
    body: BodyInit,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; code: string | undefined }> => {
    const response = await fetch(api.url, { method: 'POST', body, headers });
    const { errors } = JSON.parse(await response.text());
    return { status: response.status, code: errors?.[0]?.extensions.code };
  };
  const json = { 'content-type': 'application/json' };

  test('several operations in one body are refused', async () => {
    assert.deepEqual(await post(`[${ASK},${ASK}]`, json), { status: 400, code: 'BAD_REQUEST' });
  });

  test('GET, HEAD and every other method are refused, for queries too', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const response = await fetch(`${api.url}?query={__typename}`, { method });
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get('allow'), 'POST');
      assert.equal(response.headers.get('access-control-allow-origin'), null);
    }
  });

  test('what a page of another site can send unasked is refused: forms, files, plain text', async () => {
    const form = new FormData();
    form.set('query', '{ __typename }');
    const refused = { status: 415, code: 'MEDIA_TYPE_REFUSED' };
    assert.deepEqual(await post(new URLSearchParams({ query: '{ __typename }' })), refused);
    assert.deepEqual(await post(form), refused);
    for (const type of ['text/plain', 'application/graphql', 'application/json-seq', 'application/json; charset=utf-16', 'text/plain; application/json']) {
      assert.deepEqual(await post(ASK, { 'content-type': type }), refused, type);
    }
    assert.deepEqual(await post(Buffer.from(ASK)), refused, 'no type at all');
  });

  test('what is compressed is refused unread', async () => {
    const bomb = gzipSync(JSON.stringify({ query: `{ __typename #${'x'.repeat(50_000_000)}\n}` }));
    assert.ok(bomb.length < MAX_REQUEST_LENGTH);
    for (const encoding of ['gzip', 'br', 'deflate', 'identity, gzip']) {
      assert.deepEqual(await post(bomb, { ...json, 'content-encoding': encoding }), { status: 415, code: 'MEDIA_TYPE_REFUSED' });
    }
  });

  test('a body that is no JSON, or no request, is refused with a code and without being repeated', async () => {
    const bodies = ['', '{', 'null', '7', '"Zanzibar"', '{}', '{"query": 7}', '{"query": null}', '{"query": {"Zanzibar": 1}}'];
    const variables = ['[]', '7', '"Zanzibar"'].map((text) => `{"query": "{ __typename }", "variables": ${text}}`);
    const others = ['"operationName": 7', '"onError": "Zanzibar"', '"extensions": []'].map((text) => `{"query": "{ __typename }", ${text}}`);
    for (const body of [...bodies, ...variables, ...others]) {
      const response = await fetch(api.url, { method: 'POST', body, headers: json });
      const text = await response.text();
      assert.equal(response.status, 400, body);
      assert.equal(JSON.parse(text).errors[0].extensions.code, 'BAD_REQUEST', body);
      assert.doesNotMatch(text, /Zanzibar/);
    }
  });

  test('a body without a length is cut off where one with a length is', async () => {
    const endless = dial(api.url);
    const answer = untilClosed(endless);
    endless.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `${(20_000).toString(16)}\r\n${'x'.repeat(20_000)}\r\n`;
    const pouring = setInterval(() => endless.write(chunk), 5);
    const text = await answer;
    clearInterval(pouring);
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /REQUEST_TOO_LARGE/);
  });

  test('a request told in two lengths is no request', async () => {
    const smuggled = `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = await speak(api.url, smuggled);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal(answer.match(/HTTP\/1\.1/g)!.length, 1);
  });

  test('a client that sends slowly, its headers or its body, is cut off', async () => {
    const impatient = await startApi({ patience: { headers: 100, request: 200 } });
    const open = 'POST /graphql HTTP/1.1\r\nHost: x\r\n';
    for (const beginning of [open, `${open}Content-Type: application/json\r\nContent-Length: 90\r\n\r\n{`]) {
      assert.match(await speak(impatient.url, beginning), /^HTTP\/1\.1 408 /);
    }
  });

  test('connections beyond the bound are closed, and those within are served', async () => {
    const small = await startApi({ patience: { connections: 3 } });
    const held = [dial(small.url), dial(small.url), dial(small.url)];
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.on('connect', resolve))));
    assert.equal(await speak(small.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'), '');
    const answer = untilClosed(held[0]!);
    held[0]!.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(await answer, /200 OK/);
    for (const socket of held) socket.destroy();
  });

  test('the protective headers are on every answer: errors, refused upgrades, and what is no HTTP at all', async () => {
    const raw = [
      'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${ASK.length}\r\nConnection: close\r\n\r\n${ASK}`,
      'POST /graphql HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
      'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer rubbish\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
      `GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      'this is no HTTP\r\n\r\n',
      'GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ];
    for (const text of raw) {
      const answer = (await speak(api.url, text)).toLowerCase();
      for (const name of HEADERS) assert.match(answer, new RegExp(`\r\n${name}: `), `${name} after ${text.slice(0, 200)}`);
      assert.doesNotMatch(answer, /\r\n(server|x-powered-by): /);
    }
  });

  test('an accepted upgrade carries them too', async () => {
    const socket = dial(api.url);
    socket.write(
      'GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
    );
    const answer = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString().toLowerCase())));
    socket.destroy();
    assert.match(answer, /^http\/1\.1 101 /);
    for (const name of HEADERS) assert.match(answer, new RegExp(`\r\n${name}: `));
  });

  test('a page of another site opens no websocket, with a cookie or without', async () => {
    for (const origin of ['Origin: https://evil.example', 'Origin: null', 'Sec-Fetch-Site: cross-site']) {
      const answer = await speak(api.url, `GET /graphql HTTP/1.1\r\nHost: x\r\n${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 403 [^]*ORIGIN_REFUSED/);
    }
  });

  test('no header of a client is taken for a claim', async () => {
    const headers = {
      'x-infirmary-session-id': '00000000-0000-0000-0000-000000000000',
      'x-infirmary-role': 'administrator',
      'infirmary.session_id': '00000000-0000-0000-0000-000000000000',
      'x-hasura-role': 'admin',
      'x-forwarded-user': 'administrator',
      'x-http-method-override': 'DELETE',
    };
    const answer = await send(api.url, { query: '{ patients(first: 1) { totalCount } }' }, undefined, headers);
    assert.deepEqual(codes(answer), ['FORBIDDEN']);
  });

  test('addresses are those that are written down, and nothing beside them', async () => {
    for (const address of ['/graphql/', '/GRAPHQL', '//graphql', '/graphql/../graphql%2f', '/.git/config', '/ruru-static/../../etc/passwd', '/graphql/stream', '/session/refresh/more']) {
      assert.match(await speak(api.url, `POST ${address} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 40[45] /, address);
    }
    assert.equal((await fetch(`${origin}/graphql?documentId=departments`, { method: 'POST', body: ASK, headers: json })).status, 200);
  });
});

describe('TLS', () => {
  test('is spoken with the certificate it is given, from version 1.2 on, and demanded of the browser from then on', async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'tls-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = (name: string): string => path.join(folder, name);
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', file('key'), '-out', file('cert')],
    ], { stdio: 'ignore' });
    const tls = { cert: readFileSync(file('cert'), 'utf8'), key: readFileSync(file('key'), 'utf8') };
    const api = await startApi({ tls });
    assert.match(api.url, /^https:/);
    const ask = (options: object): Promise<{ status?: number; hsts?: string }> =>
      new Promise((resolve, reject) => {
        const request = secureRequest(new URL('/livez', api.url), { ca: tls.cert, agent: false, ...options }, (response) => {
          response.resume();
          resolve({ status: response.statusCode, hsts: response.headers['strict-transport-security'] as string });
        });
        request.on('error', reject);
        request.end();
      });
    assert.deepEqual(await ask({}), { status: 200, hsts: 'max-age=63072000; includeSubDomains' });
    await assert.rejects(ask({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }));
    assert.match(await speak(api.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'), /^(HTTP\/1\.1 400 [^]*)?$/);
  });
});

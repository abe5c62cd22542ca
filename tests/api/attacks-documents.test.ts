import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { getIntrospectionQuery } from 'graphql';
import { LIMITS } from '../../tools/api/limits.ts';
import { codes, send, startApi, type Answer, type TestApi } from './support/api.ts';
import { furnish, tokenFor } from './support/hospital.ts';
import { subscribe } from './support/subscriber.ts';

describe('documents that are weapons', () => {
  let api: TestApi;
  let token: string;

  before(async () => {
    api = await startApi();
    const hospital = await furnish(api.owner, { doctors: 1, patients: 1 });
    token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
  });

  const ask = (query: string, variables?: object): Promise<Answer> => api.graphql(query, variables, token);
  const refused = async (query: string, code: string, variables?: object): Promise<void> => {
    const answer = await ask(query, variables);
    assert.ok(codes(answer).includes(code), answer.text.slice(0, 300));
    assert.ok(answer.status < 500);
    assert.equal(answer.data ?? null, null);
  };

  test('aliases are counted wherever they stand, and through fragments', async () => {
    const aliases = (count: number): string => Array.from({ length: count }, (_, n) => `a${n}: fullName`).join(' ');
    const page = (inner: string): string => `{ patients(first: 1) { nodes { ${inner} } } }`;
    assert.deepEqual((await ask(page(aliases(LIMITS.aliases)))).errors, []);
    await refused(page(aliases(LIMITS.aliases + 1)), 'TOO_MANY_ALIASES');
    const half = aliases(30).replaceAll('a', 'b').replaceAll('fullNbme', 'fullName');
    await refused(`${page(`...a ${half}`)} fragment a on Patient { ${aliases(30)} }`, 'TOO_MANY_ALIASES');
  });

  test('many fields of many rows cost what they weigh', async () => {
    const fields = 'id givenName familyName dateOfBirth sex timeZone mrn age fullName createdAt';
    await refused(`{ patients(first: 200) { nodes { ${Array(120).fill(fields).join(' ')} } } }`, 'QUERY_TOO_EXPENSIVE');
  });

  test('fragments in a circle are refused, not followed', async () => {
    for (const circle of [
      '{ ...a } fragment a on Query { ...a }',
      '{ ...a } fragment a on Query { ...b } fragment b on Query { ...c } fragment c on Query { ...a }',
      '{ patients(first: 1) { nodes { ...a } } } fragment a on Patient { appointments(first: 1) { nodes { patient { ...a } } } }',
    ]) {
      await refused(circle, 'BAD_REQUEST');
    }
  });

  test('directives without end are refused', async () => {
    await refused(`{ __typename ${'@include(if: true) '.repeat(600)} }`, 'QUERY_TOO_LONG');
    await refused(`{ __typename ${'@include(if: true) '.repeat(200)} }`, 'BAD_REQUEST');
    await refused(`{ __typename ${'@nonsense '.repeat(900)} }`, 'BAD_REQUEST');
  });

  test('a variable as deep as a body can be is read or refused, and the server lives on', async () => {
    const deep = '['.repeat(40_000) + ']'.repeat(40_000);
    const body = `{"query": "query ($f: PatientFilter) { patients(first: 1, filter: $f) { totalCount } }", "variables": {"f": ${deep}}}`;
    const response = await fetch(api.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body,
    });
    assert.equal(response.status, 400);
    const query = 'query ($f: PatientFilter) { patients(first: 1, filter: $f) { totalCount } }';
    const nested = (levels: number): object =>
      levels === 0 ? { givenName: { equalTo: 'x' } } : { not: nested(levels - 1) };
    assert.deepEqual((await ask(query, { f: nested(10) })).errors, []);
    await refused(query, 'QUERY_TOO_DEEP', { f: nested(3000) });
    assert.deepEqual((await ask('{ __typename }')).data, { __typename: 'Query' });
  });

  test('lists of values are answered up to a bound, and refused beyond it', async () => {
    const query = 'query ($f: PatientFilter) { patients(first: 1, filter: $f) { totalCount } }';
    const ids = (count: number): object => ({ id: { in: Array.from({ length: count }, (_, n) => String(n)) } });
    const or = (count: number): object => ({ or: Array.from({ length: count }, () => ({ givenName: { includesInsensitive: '%' } })) });
    for (const f of [ids(LIMITS.values - 10), or(LIMITS.values / 3 - 10)]) {
      assert.deepEqual((await ask(query, { f })).errors, []);
    }
    for (const f of [ids(LIMITS.values), or(LIMITS.values / 3)]) await refused(query, 'QUERY_TOO_LONG', { f });
  });

  test('numbers at the ends of every type are answered or refused, never broken', async () => {
    const numbers = ['NaN', '1e400', '-1e400', '-0', '9223372036854775807', '9223372036854775808', '-9223372036854775809', '1e308', '0.1', '2147483648'];
    const asked: [string, string][] = [
      ['query ($x: BigInt!) { patient(id: $x) { id } }', 'BigInt'],
      ['query ($x: Int!) { patients(first: $x) { nodes { id } } }', 'Int'],
      ['query ($x: Int!) { patients(first: 1, offset: $x) { nodes { id } } }', 'offset'],
      ['mutation ($x: BigFloat!) { addTreatment(input: { visitId: 1, type: "Dressing", cost: $x }) { treatment { id } } }', 'BigFloat'],
    ];
    for (const number of numbers) {
      for (const [query, name] of asked) {
        for (const written of [number, JSON.stringify(number)]) {
          const body = `{"query": ${JSON.stringify(query)}, "variables": {"x": ${written}}}`;
          const response = await fetch(api.url, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
            body,
          });
          const text = await response.text();
          assert.ok(response.status < 500, `${name} ${written}: ${text}`);
          assert.doesNotMatch(text, /INTERNAL_ERROR|1e\+?308|e\+400/, `${name} ${written}`);
        }
      }
    }
  });

  test('days at the ends of time are answered or refused, never broken', async () => {
    const instants = ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '2026-02-30T00:00:00Z', '2026-01-01T25:00:00Z', '2026-01-01T00:00:00+99:99', 'infinity', '294276-12-31T00:00:00Z', 'now', ''];
    for (const at of instants) {
      const answer = await ask('query ($at: Datetime!) { freeSlots(doctorId: 1, startsFrom: $at, first: 1) { nodes { startsAt } } }', { at });
      assert.ok(answer.status < 500 && !codes(answer).includes('INTERNAL_ERROR'), `${at}: ${answer.text}`);
    }
    for (const day of ['0000-01-01', '9999-12-31', '2026-02-30', 'infinity', '294276-01-01', 'today', '']) {
      const input = { givenName: 'A', familyName: 'B', dateOfBirth: day, sex: 'female', email: 'x@y.example', password: 'long enough' };
      const answer = await ask('mutation ($i: RegisterPatientInput!) { registerPatient(input: $i) { patient { id } } }', { i: input });
      assert.equal(codes(answer).length, 1, `${day}: ${answer.text}`);
      assert.notEqual(codes(answer)[0], 'INTERNAL_ERROR', `${day}: ${answer.text}`);
    }
  });

  test('a websocket runs so many operations and no more', async () => {
    const extra = await startApi();
    const hospital = await furnish(extra.owner, { doctors: 0, patients: 1 });
    const own = await tokenFor(extra.owner, hospital.patients[0]!, 'patient');
    const WebSocket = (await import('ws')).default as any;
    const socket = new WebSocket(extra.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    await new Promise((resolve) => socket.on('open', resolve));
    const answers: any[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString());
        if (message.type === 'connection_ack') {
          for (let n = 0; n <= LIMITS.operationsPerSocket; n += 1) {
            socket.send(JSON.stringify({ id: String(n), type: 'subscribe', payload: { query: 'subscription { appointmentChanged { event } }' } }));
          }
        } else if (message.type === 'error') {
          answers.push(message);
          resolve();
        }
      });
    });
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${own}` } }));
    await done;
    socket.close();
    assert.deepEqual(answers.map(({ id, payload }) => [id, payload[0].extensions.code]), [[String(LIMITS.operationsPerSocket), 'TOO_MANY_OPERATIONS']]);
  });
});

describe('what the schema tells', () => {
  test('in production nothing, not even where any document is answered', async () => {
    const api = await startApi({ environment: 'production', allowAnyDocument: true });
    for (const query of [getIntrospectionQuery(), '{ __schema { types { name } } }', '{ __type(name: "Patient") { fields { name } } }', '{ ...a } fragment a on Query { hidden: __schema { types { name } } }']) {
      const answer = await send(api.url, { query });
      assert.ok(codes(answer).length > 0 && codes(answer).every((code) => code === 'BAD_REQUEST'));
      assert.doesNotMatch(answer.text, /appointments/i);
      const overSocket = await (await subscribe(api.url, query)).next();
      assert.ok(overSocket.errors?.length > 0);
    }
  });

  test('no guess at what a client may have meant', async () => {
    const api = await startApi();
    for (const query of ['{ patient { id } }', '{ patiens { id } }', '{ patients(firs: 1) { totalCount } }', '{ ...x } fragment x on Patien { id }', 'query ($f: PatienFilter) { patients(filter: $f) { totalCount } }', '{ patients(first: 1, orderBy: IDD) { totalCount } }', '{ patients(first: 1, filter: { givenNam: null }) { totalCount } }']) {
      const { text } = await send(api.url, { query });
      assert.match(text, /BAD_REQUEST/, query);
      assert.doesNotMatch(text, /did you mean/i, query);
    }
    const variable = await send(api.url, { query: 'query ($f: PatientFilter) { patients(filter: $f) { totalCount } }', variables: { f: { givenNam: 1 } } });
    assert.doesNotMatch(variable.text, /did you mean/i);
  });

  test('no answer about a request repeats its values', async () => {
    const api = await startApi();
    const marker = 'Zanzibar';
    const documents = [
      `{ patients(first: "${marker}") { totalCount } }`,
      `{ patients(first: 1, filter: { id: { equalTo: "${marker}" } }) { totalCount } }`,
      `{ patients(first: 1, orderBy: "${marker}") { totalCount } }`,
      `{ patients(first: 1, filter: { createdAt: { lessThan: "${marker}" } }) { totalCount } }`,
      `{ patients(first: 1, after: "${marker}") { totalCount } }`,
      `{ __typename "${marker}" }`,
      `{ __typename ${marker}! }`,
      `"${marker}`,
      `{ __typename(a: ${marker}1.2.3) }`,
      `{ __typename @include(if: "${marker}") }`,
    ];
    for (const query of documents) {
      const answer = await send(api.url, { query });
      assert.ok(answer.errors.length > 0, query);
      assert.doesNotMatch(answer.text, new RegExp(marker), query);
    }
    const typed: [string, unknown][] = [['Int!', marker], ['BigInt!', marker], ['BigFloat!', { [marker]: 1 }], ['Boolean!', marker], ['Datetime!', marker], ['Date!', marker], ['UUID!', marker], ['String!', { a: marker }], ['[PatientOrderBy!]', [marker]], ['PatientFilter', { givenName: marker }], ['PatientFilter', { givenName: { in: { a: marker } } }]];
    for (const [type, x] of typed) {
      const answer = await send(api.url, { query: `query ($x: ${type}) { __typename }`, variables: { x } });
      assert.ok(answer.errors.length > 0, type);
      assert.doesNotMatch(answer.text, new RegExp(marker), type);
    }
    const unnamed = await send(api.url, { query: 'query a { __typename } query b { __typename }', operationName: marker });
    assert.ok(unnamed.errors.length > 0);
    assert.doesNotMatch(unnamed.text, new RegExp(marker));
  });
});

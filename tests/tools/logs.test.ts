import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { projectFolder } from '../../tools/settings.ts';
import { codes, send, type Answer } from '../api/support/api.ts';
import { addStaff, furnish, hoursAhead, PASSWORD, type Hospital } from '../api/support/hospital.ts';
import { dial, untilClosed } from '../api/support/raw.ts';
import { cloneDatabase } from '../support/database.ts';
import { testSettings } from '../support/server.ts';
import { spawnWork, type Spoken } from '../support/worker.ts';

const WebSocket = createRequire(import.meta.url)('ws');

test('whatever goes wrong with a patient’s data in hand, no log of ours repeats any of it', async (t) => {
  // Letters alone, so that no encoding hides it.
  const marker = `Zq${randomBytes(8).toString('hex').replaceAll(/\d/g, (digit) => 'ghijklmnop'[Number(digit)]!)}`;
  const database = await cloneDatabase();
  const owner = new Client({ connectionString: database.url('hospital_owner') });
  await owner.connect();
  t.after(() => owner.end());
  const hospital = await furnish(owner, { doctors: 1, patients: 2 });
  await addStaff(owner, hospital, 'reception', 'receptionist');

  const api = await serveApart(t, database.url('hospital_authenticator'));
  const met = new Set<string>();
  await sendNonsense(api.url, marker, met);
  await breakRules(api.url, hospital, marker, met);
  await breakFunctions(api.url, owner, marker, met);
  await speakNonsense(api.url, marker);
  await failInSql(owner, database.url('hospital_owner'), marker);
  const worker = await failAtWork(owner, database.url('hospital_worker'), marker);
  api.child.kill('SIGTERM');
  await api.ended;

  // Everything that was to go wrong did.
  for (const code of [
    'BAD_REQUEST', 'UNAUTHENTICATED', 'LOGIN_REFUSED', 'MEDIA_TYPE_REFUSED', 'NOT_FOUND', 'PHONE_REFUSED', 'CODE_UNKNOWN',
    'EMAIL_TAKEN', 'TEXT_TOO_LONG', 'BAD_VALUE', 'SLOT_TAKEN', 'INTERNAL_ERROR', 'TIMEOUT', 'VALUE_MISSING',
  ]) {
    assert.ok(met.has(code), `${code} is not among ${[...met].join(', ')}`);
  }
  assert.match(api.said(), /"event":"unexpected_error"/);
  assert.match(api.said(), /"event":"request".*"path":"another"/);
  for (const line of api.said().split('\n').filter((said) => said.includes('"event":"request"'))) {
    const { time, level, event, method, path: served, status, requestId, kind, code, milliseconds, ...more } = JSON.parse(line);
    assert.deepEqual(more, {}, 'a request is told by these alone');
    assert.match([method, served, status, kind, code, typeof milliseconds].join(' '), /^[A-Z]+ [a-z/]+ \d+ [a-z]+ [A-Z_]+ number$/);
    assert.match(requestId, /^[0-9a-f-]{32,36}$/i);
  }
  assert.match(api.said(), /"event":"operation".*"kind":"unreadable","code":"UNAUTHENTICATED"/);
  assert.match(worker, /failed with P0001/);
  const server = readFileSync(path.join(testSettings().home, 'server.log'), 'utf8');
  assert.match(server, /ready to accept connections/);
  for (const [name, log] of Object.entries({ API: api.said(), worker, PostgreSQL: server })) {
    const lines = log.split('\n').filter((line) => line.toLowerCase().includes(marker.toLowerCase()));
    assert.deepEqual(lines, [], `the log of the ${name}`);
  }
});

/** `infirmary serve` in a process of its own, as an operator starts it. */
async function serveApart(t: { after(work: () => void): void }, authenticatorUrl: string): Promise<Spoken & { url: string }> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'infirmary-'));
  t.after(() => rmSync(home, { recursive: true }));
  const env: NodeJS.ProcessEnv = { ...process.env, AUTHENTICATOR_URL: authenticatorUrl, INFIRMARY_HOME: home, INFIRMARY_ACCESS_LOG: '1' };
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(process.execPath, [path.join(projectFolder, 'tools/cli.ts'), 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill());
  let said = '';
  const ended = new Promise<number | string | null>((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const [, found] = /The API listens on (\S+)/.exec(said) ?? [];
      if (found) resolve(found);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('exit', () => reject(new Error(said)));
  });
  return { child, url, said: () => said, ended };
}

/** Requests that are wrong before anybody looks at their content. */
async function sendNonsense(url: string, marker: string, met: Set<string>): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const requests: [string, RequestInit][] = [
    [url, { body: `{"query": "${marker}`, headers: json }],
    [url, { body: JSON.stringify({ query: `{ patients(first: "${marker}") { ${marker}` }), headers: json }],
    [url, { body: JSON.stringify({ query: `{ ${marker} }` }), headers: json }],
    [url, { body: JSON.stringify({ query: `{ patients(first: 1, filter: { id: { equalTo: "${marker}" } }) { totalCount } }` }), headers: json }],
    [url, { body: JSON.stringify({ query: `{ patients(first: 1, after: "${marker}") { nodes { id } } }` }), headers: json }],
    [url, { body: JSON.stringify({ query: 'query ($x: Int!) { patients(first: $x) { totalCount } }', variables: { x: marker } }), headers: json }],
    [url, { body: JSON.stringify({ documentId: marker, variables: { marker } }), headers: json }],
    [url, { body: JSON.stringify({ query: '{ __typename }', operationName: marker }), headers: json }],
    [url, { body: JSON.stringify([marker]), headers: json }],
    [url, { body: marker, headers: { 'content-type': `text/${marker}` } }],
    [url, { body: '{}', headers: { ...json, authorization: `Bearer ${marker}` } }],
    [url, { body: '{}', headers: { ...json, cookie: `infirmary=${marker}` } }],
    [url, { body: `{"query": "${marker}`, headers: { ...json, 'x-request-id': marker, 'user-agent': marker, referer: `https://${marker}.example` } }],
    [url, { body: JSON.stringify({ query: `query ${marker} { ${marker} }`, operationName: marker, extensions: { marker } }), headers: json }],
    [new URL('/metrics', url).href, { body: marker, headers: { 'x-request-id': `${marker}-00000000`, authorization: `Bearer ${marker}` } }],
    [new URL(`/reports/${marker}.csv?from=${marker}`, url).href, { body: marker }],
    [new URL(`/${marker}?${marker}`, url).href, { body: marker }],
    [new URL('/session', url).href, { body: JSON.stringify({ email: `${marker}@mail.example`, password: marker }), headers: json }],
    [new URL('/session', url).href, { body: JSON.stringify({ email: marker, password: marker, role: { marker } }), headers: json }],
    [new URL('/session', url).href, { body: `{"${marker}`, headers: json }],
    [new URL('/session/refresh', url).href, { headers: { cookie: `infirmary-refresh=${marker}` } }],
  ];
  for (const [address, request] of requests) {
    const response = await fetch(address, { method: 'POST', ...request });
    const text = await response.text();
    for (const { extensions } of JSON.parse(text).errors) met.add(extensions.code);
    // A name in the client's own document is no value.
    assert.doesNotMatch(text.replace(/Cannot query field \S+/, ''), new RegExp(marker, 'i'), address);
  }
  const socket = dial(url);
  socket.write(`${marker} /${marker} HTTP/9.9\r\n${marker}\r\n\r\n`);
  assert.doesNotMatch(await untilClosed(socket), new RegExp(marker));
}

const logIn = async (url: string, email: string): Promise<string> =>
  (await send(url, { documentId: 'logIn', variables: { email, password: PASSWORD } })).data.logIn.result.accessToken;

/** Requests that break a constraint, a type or a rule of each kind. */
async function breakRules(url: string, hospital: Hospital, marker: string, met: Set<string>): Promise<void> {
  const tokens = [await logIn(url, 'patient1@test.example'), await logIn(url, 'patient2@test.example')];
  const [patient, other] = hospital.patients;
  const change = async (documentId: string, input: object, token?: string): Promise<Answer> => {
    const answer = await send(url, { documentId, variables: { input } }, token);
    for (const code of codes(answer)) met.add(code);
    assert.doesNotMatch(JSON.stringify(answer.errors), new RegExp(marker, 'i'), documentId);
    return answer;
  };
  const person = { givenName: marker, familyName: marker, dateOfBirth: '1990-01-01', sex: 'female', password: marker.repeat(2) };
  await change('registerPatient', { ...person, email: `${marker}@mail.example` });
  await change('registerPatient', { ...person, email: `${marker}@mail.example` });
  await change('registerPatient', { ...person, email: `${marker}2@mail.example`, sex: marker });
  await change('registerPatient', { ...person, email: `${marker}3@mail.example`, givenName: `${marker}\0` });
  await change('registerPatient', { ...person, email: `${marker}4@mail.example`, dateOfBirth: marker });
  await change('registerPatient', { ...person, email: `${marker}5@mail.example`, timeZone: marker });
  await change('updatePatient', { patientId: patient!.id, phone: marker }, tokens[0]);
  await change('updatePatient', { patientId: marker }, tokens[0]);
  await change('updatePatient', { patientId: other!.id, address: marker }, tokens[0]);
  const booking = { doctorId: hospital.doctors[0]!.id, appointmentTypeId: hospital.typeId, startsAt: hoursAhead(48), reason: marker };
  await change('bookAppointment', { ...booking, patientId: patient!.id }, tokens[0]);
  await change('bookAppointment', { ...booking, patientId: other!.id }, tokens[1]);
  await change('bookAppointment', { ...booking, patientId: patient!.id, startsAt: hoursAhead(72), reason: marker.repeat(100) }, tokens[0]);
  await change('bookAppointment', { ...booking, patientId: patient!.id, startsAt: marker }, tokens[0]);
}

/** Functions that fail in ways nobody foresaw, with values in their messages. */
async function breakFunctions(url: string, owner: Client, marker: string, met: Set<string>): Promise<void> {
  const token = await logIn(url, 'patient1@test.example');
  await owner.query('update hospital.patients set family_name = $1 where id = (select min(id) from hospital.patients)', [marker]);
  for (const body of [
    `raise exception 'no %', patient.family_name using detail = patient.family_name, hint = patient.family_name;`,
    `raise exception using errcode = 'not_null_violation', message = patient.family_name, column = patient.family_name;`,
    `return patient.family_name::integer;`,
    `return length(patient.family_name) / 0;`,
    `execute format('select %I', patient.family_name);`,
    `raise exception using errcode = 'query_canceled', message = patient.family_name;`,
    `raise exception using errcode = 'deadlock_detected', message = patient.family_name;`,
    `raise warning '%', patient.family_name; raise notice '%', patient.family_name; return 1;`,
  ]) {
    await owner.query(`
      create or replace function hospital.patients_age(patient hospital.patients) returns integer
      language plpgsql stable set search_path = pg_catalog, pg_temp as $$ begin ${body} end $$`);
    const answer = await send(url, { query: '{ patients(first: 1) { nodes { age } } }' }, token);
    for (const code of codes(answer)) met.add(code);
    assert.doesNotMatch(answer.text, new RegExp(marker, 'i'), body);
  }
}

/** Over a websocket: a token, messages and documents that are none. */
async function speakNonsense(url: string, marker: string): Promise<void> {
  const connection = JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${marker}` } });
  const subscribe = (payload: unknown): string => JSON.stringify({ id: marker, type: 'subscribe', payload });
  for (const messages of [
    [marker],
    [JSON.stringify({ type: marker })],
    [connection, subscribe({ query: `{ ${marker} }` })],
    [connection, subscribe({ query: '{ __typename }', variables: { marker } })],
    [connection, subscribe(marker)],
    [connection, subscribe({ query: `subscription { freeTimeChanged(doctorId: "${marker}") { doctorId } }` })],
    [subscribe({ query: `{ ${marker} }` })],
  ]) {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    await new Promise((resolve) => socket.on('open', resolve));
    const answered = new Promise<void>((resolve) => {
      socket.on('close', resolve);
      socket.on('message', (data: Buffer) => JSON.parse(data.toString()).type !== 'connection_ack' && resolve());
    });
    for (const message of messages) socket.send(message);
    await answered;
    socket.terminate();
  }
}

/** Every class of error by bare SQL, with the value in the statement, in the row and in the message. */
async function failInSql(owner: Client, url: string, marker: string): Promise<void> {
  await owner.query('create table ops.probe (id integer primary key, word text not null check (length(word) < 30), other integer references ops.probe, span int4range, exclude using gist (span with &&))');
  await owner.query(`insert into ops.probe values (1, '${marker}', null, '[1,5]')`);
  for (const statement of [
    `insert into ops.probe values (1, '${marker}')`,
    `insert into ops.probe values (2, null) /* ${marker} */`,
    `insert into ops.probe values (2, '${marker.repeat(3)}')`,
    `insert into ops.probe values (2, '${marker}', 7)`,
    `insert into ops.probe values (2, '${marker}', null, '[2,3]')`,
    `select '${marker}'::date`,
    `select '${marker}'::uuid`,
    `select '{"${marker}'::jsonb`,
    `select cast('${marker}' as varchar(3))::integer`,
    `select 1 / 0 as ${marker}`,
    `selec ${marker}`,
    `select ${marker} from ${marker}`,
    `do $$ begin raise exception '${marker}'; end $$`,
    `do $$ begin raise warning '${marker}'; end $$`,
    `begin; set local statement_timeout = 20; select pg_sleep(5), '${marker}'; commit`,
    `set role ${marker}`,
  ]) {
    await owner.query(statement).catch(() => {});
    await owner.query('rollback');
  }
  // A deadlock: each holds what the other wants. The log tells that one waited, and of which request the waiter was.
  await owner.query(`insert into ops.probe values (2, '${marker}')`);
  const rival = new Client({ connectionString: url });
  await rival.connect();
  await rival.query(`set application_name = 'infirmary-api 4bf92f3577b34da6a3ce929d0e0e4736'`);
  const take = (client: Client, id: number): Promise<unknown> => client.query(`update ops.probe set word = '${marker}' where id = ${id}`);
  for (const client of [owner, rival]) await client.query('begin');
  await take(owner, 1);
  await take(rival, 2);
  const ends = await Promise.allSettled([take(owner, 2).catch((error) => owner.query('rollback').then(() => Promise.reject(error))), take(rival, 1).catch((error) => rival.query('rollback').then(() => Promise.reject(error)))]);
  assert.deepEqual(ends.filter(({ status }) => status === 'rejected').length, 1, 'one of the two is the victim');
  for (const client of [owner, rival]) await client.query('rollback');
  await rival.end();
}

/** A job that fails with a patient's name in its error; returns what the worker said. */
async function failAtWork(owner: Client, url: string, marker: string): Promise<string> {
  await owner.query(`
    create or replace function ops.send_reminders() returns bigint language plpgsql set search_path = pg_catalog, pg_temp
    as $$ begin raise exception 'Cannot remind ${marker}' using detail = '${marker}'; end $$`);
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`select graphile_worker.add_job('send_reminders', json_build_object('name', $1::text), max_attempts => 1)`, [marker]);
  await client.end();
  const once = spawnWork(url, '--once');
  assert.equal(await once.ended, 1);
  return once.said();
}

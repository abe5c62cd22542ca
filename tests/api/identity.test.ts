import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import jwt from 'jsonwebtoken';
import { Client } from 'pg';
import { ACCOUNT_ROLES, signToken, verifyToken } from '../../tools/api/identity.ts';
import { serve } from '../../tools/api/server.ts';
import { codes, KEYS, send, startApi, type TestApi } from './support/api.ts';
import { furnish, hoursAhead, PASSWORD, tokenFor, type Hospital } from './support/hospital.ts';

const EVERYONE = `{
  patients(first: 50) { nodes { id givenName } }
  appointments(first: 50) { nodes { id } }
}`;
const PAIR = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const ME = '{ currentAccount { email role patientId } }';

describe('identity', () => {
  let api: TestApi;
  let hospital: Hospital;
  let token: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 2 });
    token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    await api.call(
      'bookAppointment',
      {
        input: {
          patientId: hospital.patients[0]!.id,
          doctorId: hospital.doctors[0]!.id,
          appointmentTypeId: hospital.typeId,
          startsAt: hoursAhead(24),
        },
      },
      token,
    );
  });

  test('a log-in gives a token that reads the own record and nobody else’s', async () => {
    const { email, id } = hospital.patients[1]!;
    const { logIn } = await api.call('logIn', { email, password: PASSWORD });
    assert.equal(logIn.result.role, 'patient');
    const { data } = await api.graphql(EVERYONE, {}, logIn.result.accessToken);
    assert.deepEqual(
      data.patients.nodes.map((patient: { id: string }) => patient.id),
      [id],
    );
    assert.deepEqual(data.appointments.nodes, []);
  });

  test('the session’s secret has no field in the schema', async () => {
    const answer = await api.graphql('{ __type(name: "LoginResult") { fields { name } } }');
    const names = answer.data.__type.fields.map((field: { name: string }) => field.name);
    assert.deepEqual(names.sort(), ['accessToken', 'expiresAt', 'refreshToken', 'role']);
  });

  test('without a token nobody’s rows are seen', async () => {
    const answer = await api.graphql(EVERYONE);
    assert.deepEqual(answer.data, { patients: null, appointments: null });
    assert.deepEqual(codes(answer), ['FORBIDDEN', 'FORBIDDEN']);
    assert.equal((await api.graphql(ME)).data.currentAccount, null);
  });

  const claims = (): object => jwt.decode(token) as object;
  const sign = (body: object, options: jwt.SignOptions = {}, secret = KEYS[0]!.secret): string =>
    jwt.sign(body, secret, { algorithm: 'HS256', keyid: 'current', ...options });
  const without = (name: string): object =>
    Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));
  /** Signed by hand, since the library refuses to. */
  const withBody = (body: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'HS256', kid: 'current' })}.${part(body)}`;
    return `${text}.${createHmac('sha256', KEYS[0]!.secret).update(text).digest('base64url')}`;
  };
  const unsigned = (): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none', typ: 'JWT', kid: 'current' })}.${part(claims())}.`;
  };

  const forgeries: [string, () => string][] = [
    ['a token with algorithm none', unsigned],
    ['a token signed with another key', () => sign(claims(), {}, 'some other secret of sufficient length')],
    ['a token that names another key than signed it', () => sign(claims(), { keyid: 'former' })],
    ['a token that names no key', () => jwt.sign(claims(), KEYS[0]!.secret)],
    ['a token of another algorithm', () => sign(claims(), { algorithm: 'HS512' })],
    ['a token for another audience', () => sign({ ...claims(), aud: 'somebody else' })],
    ['a token without an audience', () => sign(without('aud'))],
    ['a token without an expiry', () => sign(without('exp'))],
    ['an expired token', () => sign({ ...claims(), exp: Math.floor(Date.now() / 1000) - 1 })],
    ['a token for a role that is no account’s', () => sign({ ...claims(), role: 'owner' })],
    ['a token without a session', () => sign(without('sid'))],
    ['a token that is not valid yet', () => sign({ ...claims(), nbf: Math.floor(Date.now() / 1000) + 60 })],
    ['a token whose expiry is a text', () => withBody({ ...claims(), exp: '9999999999' })],
    ['a token signed with a private key', () => sign(claims(), { algorithm: 'RS256' }, PAIR.privateKey)],
    ['a token signed with a public key as the secret', () => sign(claims(), {}, PAIR.publicKey)],
    ['a token that brings its own key', () => sign(claims(), { header: { alg: 'HS256', jwk: { kty: 'oct', k: 'eA' } } as never, keyid: 'own' }, 'x'.repeat(40))],
    ['a token whose key is a path', () => sign(claims(), { keyid: '../../dev/null' }, 'x'.repeat(40))],
    ['a token whose key is a name every object has', () => sign(claims(), { keyid: 'constructor' }, 'x'.repeat(40))],
    ['a token too long to read', () => sign({ ...claims(), padding: 'x'.repeat(3000) })],
    ['a token with a role in a list', () => sign({ ...claims(), role: ['patient', 'administrator'] })],
    ['a token that is not one', () => 'rubbish'],
  ];
  for (const [name, forge] of forgeries) {
    test(`${name} is refused with 401`, async () => {
      const answer = await api.graphql(EVERYONE, {}, forge());
      assert.equal(answer.status, 401);
      assert.deepEqual(codes(answer), ['UNAUTHENTICATED']);
      assert.equal(answer.data, undefined);
    });
  }

  test('another scheme than Bearer is refused, not ignored', async () => {
    const response = await fetch(api.url, { method: 'POST', headers: { authorization: 'Basic eDp5' } });
    assert.equal(response.status, 401);
  });

  test('a token of the right key with another role than its session sees nothing', async () => {
    const answer = await api.graphql(EVERYONE, {}, sign({ ...claims(), role: 'administrator' }));
    assert.deepEqual(answer.data.patients?.nodes ?? [], []);
    assert.deepEqual(answer.data.appointments?.nodes ?? [], []);
  });

  test('logging out ends the token at once', async () => {
    const own = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    assert.equal((await api.graphql(EVERYONE, {}, own)).data.appointments.nodes.length, 1);
    await api.call('logOut', {}, own);
    const { data } = await api.graphql(EVERYONE, {}, own);
    assert.deepEqual(data, { patients: { nodes: [] }, appointments: { nodes: [] } });
    assert.equal((await api.graphql(ME, {}, own)).data.currentAccount, null);
  });

  test('a refresh token works once, and coming back it ends the session', async () => {
    const { email } = hospital.patients[1]!;
    const first = (await api.call('logIn', { email, password: PASSWORD })).logIn.result;
    const second = (await api.call('refreshSession', { refreshToken: first.refreshToken })).refreshSession
      .result;
    assert.equal((await api.graphql(ME, {}, second.accessToken)).data.currentAccount.email, email);
    const reuse = await api.graphql(
      'mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { result { accessToken } } }',
      { t: first.refreshToken },
    );
    assert.deepEqual(codes(reuse), ['REFRESH_REFUSED']);
    assert.equal((await api.graphql(ME, {}, second.accessToken)).data.currentAccount, null);
  });

  test('setting another session’s id in SQL, without its secret, gets nothing', async () => {
    const { sessionId, sessionSecret } = verifyToken(KEYS, token);
    const client = new Client({ connectionString: api.database.url('hospital_authenticator') });
    await client.connect();
    try {
      const seen = async (secret: string): Promise<number> => {
        await client.query('begin');
        await client.query('set local role hospital_patient');
        await client.query(
          `select set_config('infirmary.session_id', $1, true), set_config('infirmary.session_secret', $2, true)`,
          [sessionId, secret],
        );
        const { rowCount } = await client.query('select from hospital.patients');
        await client.query('rollback');
        return rowCount ?? 0;
      };
      assert.equal(await seen(sessionSecret), 1);
      assert.equal(await seen(''), 0);
      assert.equal(await seen('00'), 0);
    } finally {
      await client.end();
    }
  });

  test('a session that was guessed, and another’s session with one’s own secret, are nobody’s', async () => {
    const other = verifyToken(KEYS, await tokenFor(api.owner, hospital.patients[1]!, 'patient'));
    const own = verifyToken(KEYS, token);
    for (const session of ['00000000-0000-0000-0000-000000000000', other.sessionId, other.sessionId.toUpperCase(), ` ${own.sessionId}`, `${own.sessionId}\0`, '*', "' or true --"]) {
      const answer = await api.graphql(EVERYONE, {}, sign({ ...claims(), sid: session }));
      assert.ok(!codes(answer).includes('INTERNAL_ERROR'), answer.text);
      assert.deepEqual([answer.data?.patients?.nodes ?? [], answer.data?.appointments?.nodes ?? []], [[], []], session);
    }
    for (const secret of ['', other.sessionSecret, own.sessionSecret.toUpperCase(), own.sessionSecret.slice(0, -1), `${own.sessionSecret} `]) {
      const { data } = await api.graphql(EVERYONE, {}, sign({ ...claims(), sec: secret }));
      assert.deepEqual(data, { patients: { nodes: [] }, appointments: { nodes: [] } });
    }
  });

  test('every role of a token but the session’s own opens nothing', async () => {
    for (const role of ACCOUNT_ROLES.filter((name) => name !== 'patient')) {
      const { data } = await api.graphql(EVERYONE, {}, sign({ ...claims(), role }));
      assert.deepEqual([data.patients?.nodes ?? [], data.appointments?.nodes ?? []], [[], []], role);
      assert.equal((await api.graphql(ME, {}, sign({ ...claims(), role }))).data.currentAccount, null, role);
    }
  });

  test('a key that is retired takes its tokens along at once', async () => {
    const rotated = await serve({ databaseUrl: api.database.url('hospital_authenticator'), jwtKeys: [{ kid: 'next', secret: 'the secret of the next key, for tests only' }, KEYS[0]!], environment: 'development' });
    const retired = await serve({ databaseUrl: api.database.url('hospital_authenticator'), jwtKeys: [{ kid: 'next', secret: 'the secret of the next key, for tests only' }], environment: 'development' });
    try {
      const email = hospital.patients[0]!.email;
      assert.equal((await send(rotated.url, { query: ME }, token)).data.currentAccount.email, email);
      assert.equal((await send(retired.url, { query: ME }, token)).status, 401);
      const { logIn } = (await send(rotated.url, { documentId: 'logIn', variables: { email, password: PASSWORD } })).data;
      assert.equal((await send(retired.url, { query: ME }, logIn.result.accessToken)).data.currentAccount.email, email);
    } finally {
      await Promise.all([rotated.stop(), retired.stop()]);
    }
  });

  test('keys rotate: a token of the former key still counts, and the first key signs', () => {
    const grant = {
      sessionId: 'x',
      sessionSecret: 'y',
      role: 'patient',
      expiresAt: new Date(Date.now() + 60_000),
    };
    const old = signToken([KEYS[1]!], grant);
    assert.equal(verifyToken(KEYS, old).sessionId, 'x');
    assert.equal(jwt.decode(signToken(KEYS, grant), { complete: true })?.header.kid, 'current');
    assert.throws(() => verifyToken([KEYS[0]!], old));
  });
});

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { codes, send, startApi, type TestApi } from './support/api.ts';
import { furnish, PASSWORD, type Hospital, type Person } from './support/hospital.ts';

const ME = '{ currentAccount { email } }';

describe('/session, for browsers', () => {
  let api: TestApi;
  let hospital: Hospital;
  let patient: Person;
  let origin: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 1 });
    patient = hospital.patients[0]!;
    origin = new URL(api.url).origin;
  });

  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(origin + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const credentials = (): object => ({ email: patient.email, password: PASSWORD });
  const cookiesOf = (response: Response): string =>
    response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';', 1)[0])
      .join('; ');

  test('logging in sets cookies no script can read, and tells no token', async () => {
    const response = await post('/session', credentials(), { origin });
    assert.equal(response.status, 200);
    const body = (await response.json()) as object;
    assert.deepEqual(Object.keys(body).sort(), ['expiresAt', 'role']);
    const cookies = response.headers.getSetCookie();
    assert.equal(cookies.length, 2);
    for (const cookie of cookies) assert.match(cookie, /; HttpOnly; SameSite=Strict/);
    assert.match(cookies[0]!, /^infirmary=.*; Path=\/;.*Max-Age=\d+/);
    assert.match(cookies[1]!, /^infirmary-refresh=.*; Path=\/session;/);
    assert.equal(response.headers.get('cache-control'), 'no-store');
  });

  test('the cookie speaks for the browser on /graphql', async () => {
    const cookie = cookiesOf(await post('/session', credentials()));
    const answer = await send(api.url, { query: ME }, undefined, { cookie, origin });
    assert.equal(answer.data.currentAccount.email, patient.email);
  });

  test('another site can neither log in, nor use the cookie, nor log out', async () => {
    const cookie = cookiesOf(await post('/session', credentials()));
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of foreign) {
      const used = await send(api.url, { query: ME }, undefined, { cookie, ...headers });
      assert.equal(used.status, 403);
      assert.deepEqual(codes(used), ['ORIGIN_REFUSED']);
      assert.equal((await post('/session', credentials(), headers)).status, 403);
      const logOut = await fetch(`${origin}/session`, { method: 'DELETE', headers: { cookie, ...headers } });
      assert.equal(logOut.status, 403);
    }
    assert.equal(
      (await send(api.url, { query: ME }, undefined, { cookie })).data.currentAccount.email,
      patient.email,
    );
  });

  test('a form of another site cannot log in: only JSON is read', async () => {
    const response = await fetch(`${origin}/session`, {
      method: 'POST',
      body: new URLSearchParams({ email: patient.email }),
    });
    assert.equal(response.status, 400);
    assert.deepEqual(response.headers.getSetCookie(), []);
  });

  test('logging out revokes the session in the database and clears the cookies', async () => {
    const cookie = cookiesOf(await post('/session', credentials()));
    const response = await fetch(`${origin}/session`, { method: 'DELETE', headers: { cookie, origin } });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('clear-site-data'), '"cache", "storage"');
    for (const cleared of response.headers.getSetCookie()) assert.match(cleared, /=; .*Max-Age=0/);
    // Somebody who kept a copy of the cookie has nothing.
    assert.equal((await send(api.url, { query: ME }, undefined, { cookie })).data.currentAccount, null);
  });

  test('logging out after the access token has expired ends the session all the same', async () => {
    const cookie = cookiesOf(await post('/session', credentials()));
    const refresh = cookie.split('; ').find((part) => part.startsWith('infirmary-refresh='))!;
    const response = await fetch(`${origin}/session`, {
      method: 'DELETE',
      headers: { cookie: refresh, origin },
    });
    assert.equal(response.status, 204);
    assert.equal((await send(api.url, { query: ME }, undefined, { cookie })).data.currentAccount, null);
    assert.equal((await post('/session/refresh', {}, { cookie: refresh })).status, 401);
    const again = await fetch(`${origin}/session`, {
      method: 'DELETE',
      headers: { cookie: refresh, origin },
    });
    assert.equal(again.status, 204);
  });

  test('refreshing exchanges both cookies, and the old refresh token ends everything', async () => {
    const first = cookiesOf(await post('/session', credentials()));
    const refreshed = await post('/session/refresh', {}, { cookie: first, origin });
    assert.equal(refreshed.status, 200);
    const second = cookiesOf(refreshed);
    assert.equal(
      (await send(api.url, { query: ME }, undefined, { cookie: second })).data.currentAccount.email,
      patient.email,
    );
    assert.equal((await post('/session/refresh', {}, { cookie: first })).status, 401);
    assert.equal(
      (await send(api.url, { query: ME }, undefined, { cookie: second })).data.currentAccount,
      null,
    );
  });

  test('a wrong password is refused with 401, is counted, and five lock the account', async () => {
    const { id, email } = hospital.doctors[0]!;
    assert.ok(id);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const response = await post('/session', { email, password: 'guess' });
      assert.equal(response.status, 401);
      const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
      assert.equal(errors[0]!.extensions.code, 'LOGIN_REFUSED');
    }
    assert.equal((await post('/session', { email, password: PASSWORD })).status, 401);
  });

  test('a body that is not an object with both strings is refused', async () => {
    for (const body of [null, [], 'text', {}, { email: 1, password: 2 }, { email: patient.email }]) {
      assert.equal((await post('/session', body)).status, 400);
    }
    assert.equal((await post('/session', { ...credentials(), padding: 'x'.repeat(20_000) })).status, 400);
    assert.equal((await fetch(`${origin}/session`)).status, 405);
  });

  test('in production the cookies need an encrypted connection and belong to this host alone', async () => {
    const production = await startApi({ environment: 'production' });
    await furnish(production.owner, { doctors: 0, patients: 1 });
    const response = await fetch(new URL('/session', production.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(credentials()),
    });
    const [access, refresh] = response.headers.getSetCookie();
    assert.match(access!, /^__Host-infirmary=.*; Path=\/; HttpOnly; SameSite=Strict; Secure/);
    assert.match(
      refresh!,
      /^__Secure-infirmary-refresh=.*; Path=\/session; HttpOnly; SameSite=Strict; Secure/,
    );
  });
});

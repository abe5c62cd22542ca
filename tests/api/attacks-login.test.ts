import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Client } from 'pg';
import { codes, send, startApi, type Answer, type TestApi } from './support/api.ts';
import { furnish, PASSWORD, tokenFor, value, type Hospital } from './support/hospital.ts';

const LOG_IN = 'mutation ($e: String!, $p: String!) { logIn(input: { email: $e, password: $p }) { result { accessToken refreshToken } } }';
const ME = '{ currentAccount { email } }';

describe('guessing passwords', () => {
  let api: TestApi;
  let hospital: Hospital;

  before(async () => {
    api = await startApi({ trustProxy: true });
    hospital = await furnish(api.owner, { doctors: 1, patients: 8 });
  });

  const from = (address: string, email: string, password = 'a wrong guess'): Promise<Answer> =>
    send(api.url, { query: LOG_IN, variables: { e: email, p: password } }, undefined, { 'x-forwarded-for': address });
  /** As if that many guesses had been refused there; each would take a tenth of a second. */
  const refuse = (network: string, count: number, ago = '0'): Promise<unknown> =>
    api.owner.query(
      `insert into hospital_private.login_failures (client_network, failed_at)
       select $1, clock_timestamp() - $3::interval from generate_series(1, $2)`,
      [network, count, ago],
    );
  const failures = async (network: string): Promise<number> =>
    Number(await value(api.owner, 'select count(*) from hospital_private.login_failures where client_network = $1', [network]));

  test('one password tried on everybody is stopped where it comes from, and there alone', async () => {
    await refuse('198.51.100.1', 98);
    assert.deepEqual(codes(await from('198.51.100.1', 'nobody@test.example')), ['LOGIN_REFUSED']);
    assert.deepEqual(codes(await from('198.51.100.1', hospital.patients[0]!.email)), ['LOGIN_REFUSED']);
    const stopped = await from('198.51.100.1', hospital.patients[1]!.email, PASSWORD);
    assert.deepEqual(codes(stopped), ['TOO_MANY_ATTEMPTS']);
    assert.equal(await failures('198.51.100.1'), 100);
    assert.deepEqual((await from('198.51.100.2', hospital.patients[1]!.email, PASSWORD)).errors, []);
    const browser = await fetch(new URL('/session', api.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.1' },
      body: JSON.stringify({ email: hospital.patients[1]!.email, password: PASSWORD }),
    });
    assert.equal(browser.status, 429);
    assert.deepEqual(browser.headers.getSetCookie(), []);
  });

  test('a success in between does not start the count again, and a quarter of an hour ends it', async () => {
    await refuse('198.51.100.3', 99);
    assert.deepEqual((await from('198.51.100.3', hospital.patients[1]!.email, PASSWORD)).errors, []);
    await from('198.51.100.3', 'nobody@test.example');
    assert.deepEqual(codes(await from('198.51.100.3', hospital.patients[1]!.email, PASSWORD)), ['TOO_MANY_ATTEMPTS']);
    await refuse('198.51.100.4', 200, '15 minutes 1 second');
    assert.deepEqual((await from('198.51.100.4', hospital.patients[1]!.email, PASSWORD)).errors, []);
  });

  test('whoever has a whole network of IPv6 addresses is counted as one', async () => {
    await from('2001:db8:1:2:3:4:5:6', 'nobody@test.example');
    await from('2001:db8:1:2:ffff::1', 'nobody@test.example');
    await from('2001:db8:1:3::1', 'nobody@test.example');
    assert.equal(await failures('2001:db8:1:2::/64'), 2);
  });

  test('an address that is made up is not one: the connection counts', async () => {
    const made = ["' or true --", '999.1.2.3', 'fe80::1%eth0', '1.2.3.4/0'];
    for (const address of made) await from(address, 'nobody@test.example');
    assert.equal(await failures('127.0.0.1'), made.length);
  });

  test('ten guesses in one request are ten, of the account and of the network', async () => {
    const { email } = hospital.patients[2]!;
    const guesses = Array.from({ length: 10 }, (_, n) => `a${n}: logIn(input: { email: "${n < 4 ? email : `${n}@test.example`}", password: "guess" }) { result { role } }`);
    const answer = await send(api.url, { query: `mutation { ${guesses.join(' ')} }` }, undefined, { 'x-forwarded-for': '198.51.100.5' });
    assert.deepEqual(codes(answer), Array(10).fill('LOGIN_REFUSED'));
    assert.equal(await failures('198.51.100.5'), 10);
    assert.equal(await value(api.owner, 'select failed_attempts from hospital_private.accounts where email = $1', [email]), 4);
  });

  test('guesses that are refused make nobody else wait', async () => {
    const slow = new Client({ connectionString: api.database.url('hospital_authenticator') });
    await slow.connect();
    await slow.query('begin; set local role hospital_anonymous');
    await slow.query(`select set_config('infirmary.client_address', '198.51.100.6', true)`);
    await slow.query('select hospital.log_in($1, $2)', [hospital.patients[3]!.email, 'guess']);
    // The guess has not committed yet, and holds what locks it holds.
    assert.deepEqual((await from('198.51.100.6', hospital.patients[4]!.email, PASSWORD)).errors, []);
    assert.deepEqual(codes(await from('198.51.100.6', hospital.patients[5]!.email)), ['LOGIN_REFUSED']);
    await slow.query('rollback');
    await slow.end();
  });

  test('failures of yesterday go when new ones come', async () => {
    await refuse('198.51.100.7', 15, '25 hours');
    await from('198.51.100.8', 'nobody@test.example');
    await from('198.51.100.8', 'nobody@test.example');
    assert.equal(await failures('198.51.100.7'), 0);
  });

  test('every refusal does the same work: one hash, whether the address exists, is locked or is nobody’s', async () => {
    const superuser = new Client({ connectionString: api.database.url('postgres') });
    await superuser.connect();
    await superuser.query(`set track_functions = 'all'`);
    await api.owner.query(`update hospital_private.accounts set locked_until = now() + interval '1 hour' where email = $1`, [hospital.patients[6]!.email]);
    await api.owner.query(`update hospital_private.accounts set disabled_at = now() where email = $1`, [hospital.patients[7]!.email]);
    const hashes = async (email: string): Promise<number> => {
      const calls = async (): Promise<number> => {
        await superuser.query('select pg_stat_force_next_flush()');
        const { rows } = await superuser.query(`select coalesce(sum(calls), 0)::integer as calls from pg_stat_user_functions where funcname = 'crypt'`);
        return rows[0].calls;
      };
      const before = await calls();
      await superuser.query('select hospital.log_in($1, $2)', [email, 'a wrong guess']);
      return (await calls()) - before;
    };
    for (const email of [hospital.patients[5]!.email, 'nobody@test.example', hospital.patients[6]!.email, hospital.patients[7]!.email, '']) {
      assert.equal(await hashes(email), 1, email);
    }
    await superuser.end();
  });
});

describe('sessions', () => {
  let api: TestApi;
  let hospital: Hospital;
  let origin: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 3 });
    origin = new URL(api.url).origin;
  });

  const logIn = async (n: number): Promise<{ accessToken: string; refreshToken: string }> =>
    (await api.call('logIn', { email: hospital.patients[n]!.email, password: PASSWORD })).logIn.result;
  const refresh = (refreshToken: string): Promise<Answer> =>
    api.graphql('mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { result { accessToken refreshToken } } }', { t: refreshToken });

  test('of ten refreshes at once with one token exactly one succeeds, and the session is over: somebody has a copy', async () => {
    const { refreshToken } = await logIn(0);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(refreshToken)));
    const won = answers.filter(({ errors }) => errors.length === 0);
    assert.equal(won.length, 1);
    assert.deepEqual([...new Set(answers.flatMap(codes))], ['REFRESH_REFUSED']);
    assert.equal((await api.graphql(ME, {}, won[0]!.data.refreshSession.result.accessToken)).data.currentAccount, null);
    assert.deepEqual(codes(await refresh(won[0]!.data.refreshSession.result.refreshToken)), ['REFRESH_REFUSED']);
  });

  test('a refresh ends the access token before it', async () => {
    const first = await logIn(0);
    const second = (await refresh(first.refreshToken)).data.refreshSession.result;
    assert.equal((await api.graphql(ME, {}, first.accessToken)).data.currentAccount, null);
    assert.equal((await api.graphql(ME, {}, second.accessToken)).data.currentAccount.email, hospital.patients[0]!.email);
  });

  test('a session is made by the log-in and never adopted from the browser', async () => {
    const attacker = await logIn(1);
    const response = await fetch(`${origin}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `infirmary=${attacker.accessToken}; infirmary-refresh=${attacker.refreshToken}` },
      body: JSON.stringify({ email: hospital.patients[2]!.email, password: PASSWORD }),
    });
    const [access, renewal] = response.headers.getSetCookie().map((cookie) => /=([^;]*)/.exec(cookie)![1]!);
    assert.notEqual(access, attacker.accessToken);
    assert.notEqual(renewal, attacker.refreshToken);
    assert.equal((await api.graphql(ME, {}, attacker.accessToken)).data.currentAccount.email, hospital.patients[1]!.email);
    assert.equal((await api.graphql(ME, {}, access)).data.currentAccount.email, hospital.patients[2]!.email);
  });

  test('a token in the address, the body or a second header is no token', async () => {
    const token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
    const body = { query: ME, access_token: token, token, authorization: `Bearer ${token}` };
    assert.equal((await send(`${api.url}?access_token=${token}&token=${token}`, body)).data.currentAccount, null);
    assert.equal((await send(api.url, { query: ME }, undefined, { 'x-access-token': token, 'proxy-authorization': `Bearer ${token}` })).data.currentAccount, null);
  });
});

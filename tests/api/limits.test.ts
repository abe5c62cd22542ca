import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { getIntrospectionQuery } from 'graphql';
import { LIMITS } from '../../tools/api/limits.ts';
import { codes, startApi, type TestApi } from './support/api.ts';
import { subscribe } from './support/subscriber.ts';
import { furnish, PASSWORD, tokenFor, value, type Hospital } from './support/hospital.ts';

describe('limits on one request', () => {
  let api: TestApi;
  let hospital: Hospital;
  let token: string;

  before(async () => {
    api = await startApi();
    hospital = await furnish(api.owner, { doctors: 1, patients: 1 });
    token = await tokenFor(api.owner, hospital.patients[0]!, 'patient');
  });

  const refused = async (query: string, code: string, variables?: object): Promise<void> => {
    const answer = await api.graphql(query, variables, token);
    assert.deepEqual(codes(answer), [code], answer.text.slice(0, 300));
    assert.equal(answer.data ?? null, null);
  };
  const allowed = async (query: string, variables?: object): Promise<void> => {
    const answer = await api.graphql(query, variables, token);
    assert.deepEqual(answer.errors, []);
  };
  const nested = (levels: number, leaf: string): string =>
    Array(levels).fill('doctor { appointments(first: 1) { nodes {').join(' ') + leaf + ' }}}'.repeat(levels);

  test('a list needs a page size', async () => {
    await refused('{ doctors { nodes { id } } }', 'PAGE_SIZE_REQUIRED');
    await refused(
      '{ doctors { ...rows } } fragment rows on DoctorConnection { nodes { id } }',
      'PAGE_SIZE_REQUIRED',
    );
    await allowed('{ doctors(first: 5) { nodes { id } } }');
    await allowed('{ doctors { totalCount } }');
  });

  test('a page has a largest size, also through a variable, its default, or last', async () => {
    await allowed(`{ doctors(first: ${LIMITS.page}) { nodes { id } } }`);
    await refused(`{ doctors(first: ${LIMITS.page + 1}) { nodes { id } } }`, 'PAGE_TOO_LARGE');
    await refused('{ doctors(last: 1000) { nodes { id } } }', 'PAGE_TOO_LARGE');
    await refused('{ doctors(first: 1000, last: 5) { nodes { id } } }', 'PAGE_TOO_LARGE');
    await refused('query ($n: Int!) { doctors(first: $n) { nodes { id } } }', 'PAGE_TOO_LARGE', { n: 1000 });
    await refused('query ($n: Int = 1000) { doctors(first: $n) { nodes { id } } }', 'PAGE_TOO_LARGE');
  });

  test('null instead of a page size is no page size', async () => {
    await refused('{ doctors(first: null) { nodes { id } } }', 'PAGE_SIZE_REQUIRED');
    await refused('query ($n: Int) { doctors(first: $n) { nodes { id } } }', 'PAGE_SIZE_REQUIRED', {
      n: null,
    });
  });

  test('depth is counted through fragments', async () => {
    await refused(`{ appointments(first: 1) { nodes { ${nested(4, 'id')} } } }`, 'QUERY_TOO_DEEP');
    await refused(
      `{ appointments(first: 1) { nodes { ...deep } } } fragment deep on Appointment { ${nested(4, 'id')} }`,
      'QUERY_TOO_DEEP',
    );
    await refused('{ a '.repeat(5000) + '}'.repeat(5000), 'QUERY_TOO_DEEP');
  });

  test('cost multiplies the page sizes on the way down', async () => {
    const query = '{ doctors(first: 100) { nodes { appointments(first: 200) { nodes { id } } } } }';
    await refused(query, 'QUERY_TOO_EXPENSIVE');
    await allowed(
      '{ doctors(first: 20) { nodes { appointments(first: 50) { nodes { id patient { id } } } } } }',
    );
  });

  test('fragments that unfold a millionfold are stopped while counting', async () => {
    const unfold = (type: string): string =>
      [0, 1, 2, 3, 4, 5, 6]
        .map((n) => `fragment f${n} on ${type} { ${`...f${n + 1} `.repeat(20)} }`)
        .join(' ') + ` fragment f7 on ${type} { __typename }`;
    await refused(`{ ...f0 } ${unfold('Query')}`, 'QUERY_TOO_EXPENSIVE');
    await refused(`{ doctors { ...f0 } } ${unfold('DoctorConnection')}`, 'QUERY_TOO_EXPENSIVE');
  });

  test('a document that takes long only to validate is not validated', async () => {
    await refused(`{ ${'__typename '.repeat(LIMITS.tokens)} }`, 'QUERY_TOO_LONG');
  });

  test('a body that is too long is not read to its end', async () => {
    const answer = await api.graphql(`{ __typename #${'x'.repeat(200_000)}\n }`, {}, token);
    assert.equal(answer.status, 413);
  });

  test('a message that is too long closes its websocket', async () => {
    const padded = (length: number): string => `{ __typename #${'x'.repeat(length)}\n }`;
    assert.equal((await (await subscribe(api.url, padded(2000))).next()).data.__typename, 'Query');
    assert.deepEqual(await (await subscribe(api.url, padded(200_000))).next(), { closed: 1009 });
  });

  test('a request asks a bounded number of questions', async () => {
    const fields = (count: number): string =>
      Array.from({ length: count }, (_, n) => `q${n}: currentAccount { email }`).join(' ');
    await allowed(`{ ${fields(LIMITS.fields)} }`);
    await refused(`{ ${fields(LIMITS.fields + 1)} }`, 'TOO_MANY_FIELDS');
  });

  test('500 log-ins in one request are refused before the first', async () => {
    const { email } = hospital.patients[0]!;
    const attempts = Array.from(
      { length: 500 },
      (_, n) => `a${n}: logIn(input: { email: "${email}", password: "guess" }) { result { role } }`,
    );
    const some = `mutation { ${attempts.slice(0, LIMITS.mutations + 1).join(' ')} }`;
    await refused(some, 'TOO_MANY_MUTATIONS');
    await refused(`mutation { ${attempts.join(' ')} }`, 'QUERY_TOO_LONG');
    const failed = await value(
      api.owner,
      'select failed_attempts from hospital_private.accounts where email = $1',
      [email],
    );
    assert.equal(Number(failed), 0);
  });

  test('ten log-ins in one request are ten attempts, and the account is locked', async () => {
    const { email } = hospital.patients[0]!;
    const attempts = Array.from(
      { length: 10 },
      (_, n) => `a${n}: logIn(input: { email: "${email}", password: "guess" }) { result { role } }`,
    );
    const answer = await api.graphql(`mutation { ${attempts.join(' ')} }`);
    assert.deepEqual(codes(answer), Array(10).fill('LOGIN_REFUSED'));
    const right = await api.graphql(
      'mutation ($e: String!, $p: String!) { logIn(input: { email: $e, password: $p }) { result { role } } }',
      { e: email, p: PASSWORD },
    );
    assert.deepEqual(codes(right), ['LOGIN_REFUSED']);
  });

  test('introspection works, but not without end', async () => {
    await allowed(getIntrospectionQuery());
    const answer = await api.graphql(
      '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }',
    );
    assert.match(answer.errors[0]!.message, /introspection depth/i);
  });
});

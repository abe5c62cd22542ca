import { stopping } from './stopping.ts';
import { Client } from 'pg';
import type { JwtKey } from '../../../tools/api/identity.ts';
import { serve, type RunningApi, type ServeOptions } from '../../../tools/api/server.ts';
import { cloneDatabase, emptyDatabase, type TestDatabase } from '../../support/database.ts';

// From here, so that stopping.ts is loaded first.
export { cloneDatabase, emptyDatabase };

/** The keys of every API the tests start. */
export const KEYS: readonly JwtKey[] = [
  { kid: 'current', secret: 'the secret of the current key, for tests only' },
  { kid: 'former', secret: 'the secret of the former key, for tests only' },
];

export interface Answer<Data = any> {
  status: number;
  headers: Headers;
  data: Data;
  errors: { message: string; path?: string[]; extensions: { code: string; [more: string]: unknown } }[];
  /** The whole answer as it came. */
  text: string;
}

/** An API on a database of its own, over real HTTP. */
export interface TestApi extends RunningApi {
  database: TestDatabase;
  /** A connection as hospital_owner. */
  owner: Client;
  graphql<Data = any>(query: string, variables?: object, token?: string): Promise<Answer<Data>>;
  /** Sends one of the registered documents by its id and returns its data; throws on errors. */
  call<Data = any>(documentId: string, variables?: object, token?: string): Promise<Data>;
}

/** Starts an API on a fresh clone; it is stopped when the test file ends. */
export async function startApi(options: Partial<ServeOptions> = {}): Promise<TestApi> {
  const database = await cloneDatabase();
  const owner = new Client({ connectionString: database.url('hospital_owner') });
  await owner.connect();
  const api = await serve({
    databaseUrl: database.url('hospital_authenticator'),
    jwtKeys: KEYS,
    environment: 'development',
    ...options,
  });
  stopping.push(async () => {
    await api.stop();
    await owner.end();
  });
  const graphql = (query: string, variables?: object, token?: string): Promise<Answer> =>
    send(api.url, { query, variables }, token);
  const call = async (documentId: string, variables?: object, token?: string): Promise<any> => {
    const answer = await send(api.url, { documentId, variables }, token);
    if (answer.errors.length > 0) throw new Error(`${documentId}: ${JSON.stringify(answer.errors)}`);
    return answer.data;
  };
  return { ...api, database, owner, graphql, call };
}

/** Posts a body to a GraphQL endpoint. */
export async function send(
  url: string,
  body: object,
  token?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization, ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const { data, errors = [] } = JSON.parse(text);
  return { status: response.status, headers: response.headers, data, errors, text };
}

/** The codes of an answer's errors. */
export function codes(answer: Answer): string[] {
  return answer.errors.map((error) => error.extensions?.code);
}

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Child } from './child.ts';
import type { BenchDatabase } from './database.ts';
import type { Load, LoadResult } from './load.ts';
import { type Contender, type Figure, type Sample, Void } from './comparison.ts';
import { postgresCpu } from './postgres-cpu.ts';
import type { Recording } from './recorder.ts';

/** What is measured of a server that answers requests. */
export const requestFigures: readonly Figure[] = [
  { key: 'rate', title: 'rate', clock: 'client', unit: 'requests/s' },
  { key: 'p50', title: 'p50', clock: 'client', unit: 'ms' },
  { key: 'p99', title: 'p99', clock: 'client', unit: 'ms' },
  { key: 'node', title: 'node per request', clock: 'cpu', unit: 'ms' },
  { key: 'postgres', title: 'postgres per request', clock: 'cpu', unit: 'ms' },
];

export const connections = 10;

/** The same requests, for each of the servers. */
export interface Requests {
  documentId: string;
  variables: Record<string, string>[];
  token: string;
  /** In one round. */
  count: number;
  /** Clients in a closed loop; as many as usual unless said otherwise. */
  clients?: number;
}

/** A server in a process of its own. */
export interface Served {
  name: string;
  child: Child;
  url: string;
}

export interface RequestContender extends Contender {
  /** What the first request did in the database. */
  recording(): Recording;
  /** Answers a round under the CPU profiler, and says where the time went. */
  profile(): Promise<string[]>;
}

/** A server as a contender: its answers are digested, its role is asked inside its own transactions. */
export function requestContender(database: BenchDatabase, load: Child, server: Served, requests: Requests): RequestContender {
  const { child, url, name } = server;
  const { documentId, token } = requests;
  const bodies = requests.variables.map((variables) => JSON.stringify({ documentId, variables }));
  const answers: string[] = [];
  let recording: Recording;

  const run = (): Promise<LoadResult> => {
    const argument: Load = { url, token, bodies, answers, connections: requests.clients ?? connections, requests: requests.count };
    return load.call('run', argument);
  };
  return {
    name,
    recording: () => recording,
    async conditions() {
      await child.call('record');
      answers.push(await post(url, token, bodies[0]!));
      recording = await child.call<Recording>('recorded');
      for (const body of bodies.slice(1)) answers.push(await post(url, token, body));
      const seen = recording.seen;
      if (seen.length === 0) throw new Void(`${name} did not read in a transaction`);
      const united = (values: string[]): string => [...new Set(values)].join(' and ');
      return {
        rows: digestOf(answers),
        role: united(seen.map(({ role }) => role)),
        durability: united(seen.map(({ durability }) => durability)),
      };
    },
    async sample(): Promise<Sample> {
      const before = { node: await child.call<number>('cpu'), postgres: postgresCpu(database.settings) };
      const { seconds, p50, p99 } = await run();
      const node = ((await child.call<number>('cpu')) - before.node) / 1000 / requests.count;
      const postgres = postgresCpu(database.settings);
      return {
        rate: requests.count / seconds, p50, p99, node,
        ...(postgres !== undefined && { postgres: ((postgres - before.postgres!) * 1000) / requests.count }),
      };
    },
    async profile() {
      await child.call('profile');
      await run();
      return child.call('profiled');
    },
  };
}

async function post(url: string, token: string, body: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  const { data, errors } = JSON.parse(text);
  if (response.status !== 200 || errors || !data) throw new Void(`${url} answered ${response.status} ${text.slice(0, 300)}`);
  if (isDeepStrictEqual(Object.values(data), [null])) throw new Void(`${url} found nothing for ${body}`);
  return text;
}

/** The order of an object's fields means nothing, so it does not count. */
function digestOf(answers: readonly string[]): string {
  const sorted = (_key: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  const text = JSON.stringify(answers.map((answer) => JSON.parse(answer)), sorted);
  return `${text.length} characters ${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}

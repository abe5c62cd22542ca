import { readFileSync } from 'node:fs';
import { readSecrets } from '../../cluster/secrets.ts';
import { withClient } from '../../database.ts';
import { type Child, startChild } from '../child.ts';
import type { Figure, Ratio } from '../comparison.ts';
import { countStatements } from '../evidence.ts';
import { busiestDoctor, startSession } from '../people.ts';
import { findPgBouncer, type Pooler, startPooler } from '../pooler.ts';
import { cpuOf } from '../postgres-cpu.ts';
import { requestContender, type RequestContender, requestFigures, type Requests } from '../requests.ts';
import type { Opening } from '../served.ts';
import type { Bench, Suite } from '../suite.ts';

/** Clients at once, and connections of the API to the database; the bench's server admits 200. */
const sizes = [10, 50, 150];
/** Server processes behind the pooler, whatever its clients. */
const processes = 10;

const figures: readonly Figure[] = [
  ...requestFigures,
  { key: 'pooler', title: 'PgBouncer per request', clock: 'cpu', unit: 'ms' },
  { key: 'backends', title: 'server processes', clock: 'server', unit: '' },
  { key: 'memory', title: 'memory of their own', clock: 'server', unit: 'MB' },
];

/** A way to the database: none between, or PgBouncer with docs/pgbouncer.ini and these settings. */
interface Way {
  name: string;
  settings?: readonly string[];
  /** How the server knows its connections. A pooler's reset leaves them the name that the role has. */
  knownAs: string;
}

const direct: Way = { name: 'direct', knownAs: 'direct' };
const pooled: Way = { name: 'pooled', settings: [], knownAs: 'infirmary-api' };
const unreset: Way = { name: 'pooled, nothing reset', settings: ['server_reset_query_always = 0'], knownAs: 'not reset' };

export const pooling: Suite = {
  name: 'pooling',
  about:
    `The API through PgBouncer with ${processes} server processes against the API with a server process for each of its connections: ` +
    'one appointment by its key, as a doctor; as many clients in a closed loop as the API has connections.',
  require: () => void findPgBouncer(),
  async run(bench) {
    for (const clients of sizes) await compare(bench, clients);
  },
};

async function compare(bench: Bench, clients: number): Promise<void> {
  const { database } = bench;
  const stops: (() => Promise<void>)[] = [];
  try {
    const start = (file: string): Child => {
      const child = startChild(file);
      stops.push(() => child.stop());
      return child;
    };
    const load = start('load.ts');
    const requests = await choose(bench, clients);
    const contenders: RequestContender[] = [];
    for (const way of [direct, pooled, unreset]) {
      const pooler = way.settings && (await open(bench, way.settings));
      if (pooler) stops.push(() => pooler.stop());
      const child = start('api-server.ts');
      const straight = database.url('hospital_authenticator');
      const opening: Opening = {
        databaseUrl: named(pooler?.through(straight) ?? straight, way.knownAs),
        subscriptionsUrl: named(straight, 'listening'),
        jwtKeys: readSecrets(database.settings).jwtKeys,
        poolSize: clients,
      };
      const url = await child.call<string>('open', opening);
      const contender = requestContender(database, load, { name: way.name, child, url }, requests);
      contenders.push(watched(bench, contender, way, pooler));
    }
    const ratio = (figure: string, of: Way, to: Way, aim?: number): Ratio => ({ figure, of: of.name, to: to.name, ...(aim && { aim }) });
    await bench.measure({
      title: `${clients} clients`,
      figures,
      contenders,
      ratios: [
        ratio('rate', pooled, direct, 0.8),
        ratio('p50', pooled, direct),
        ratio('p99', pooled, direct),
        ratio('memory', direct, pooled),
        ratio('rate', pooled, unreset),
      ],
      rounds: bench.rounds,
      warmUp: 2,
      notes: async () => contenders.map((each) => `${each.name}: ${countStatements(each.recording())} per request`),
    });
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

function open({ database }: Bench, settings: readonly string[]): Promise<Pooler> {
  return startPooler({ adminUrl: database.url('postgres'), lines: [`default_pool_size = ${processes}`, ...settings] });
}

async function choose(bench: Bench, clients: number): Promise<Requests> {
  const { database } = bench;
  return withClient(database.url('hospital_owner'), async (owner) => {
    const doctor = await busiestDoctor(owner);
    const { rows } = await owner.query<{ id: string }>(
      'select id from hospital.appointments where doctor_id = $1 order by starts_at desc, id desc limit 50',
      [doctor.id],
    );
    const { token } = await startSession(owner, doctor, readSecrets(database.settings).jwtKeys);
    return { documentId: 'lookup', variables: rows, token, count: bench.requests, clients };
  });
}

/** The name under which the server knows a connection. */
function named(url: string, name: string): string {
  return `${url}?application_name=${encodeURIComponent(name)}`;
}

/** The same contender, with what it keeps of the server while it is asked. */
function watched({ database, requests }: Bench, contender: RequestContender, way: Way, pooler?: Pooler): RequestContender {
  const spent = (): number => (pooler && cpuOf(pooler.pid)) ?? NaN;
  const sql = `select pid from pg_stat_activity where usename = 'hospital_authenticator' and application_name = $1`;
  return {
    ...contender,
    async sample() {
      const before = spent();
      const sample = await contender.sample();
      const { rows } = await withClient(database.url('postgres'), (client) => client.query<{ pid: number }>(sql, [way.knownAs]));
      return {
        ...sample,
        pooler: ((spent() - before) * 1000) / requests,
        backends: rows.length,
        memory: rows.reduce((sum, { pid }) => sum + memoryOf(pid), 0),
      };
    },
  };
}

/** Megabytes that a process shares with nobody; not a number where /proc does not tell. */
function memoryOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss_Anon: +(\d+) kB$/m.exec(text)?.[1]) / 1024;
  } catch {
    return NaN;
  }
}

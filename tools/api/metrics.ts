import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { FIGURES } from '../metrics/figures.ts';
import type { Figure, Watch } from '../metrics/watch.ts';
import { API_ERRORS, CONDITIONS, CONSTRAINTS, FAMILIES } from './error-register.ts';
import { isSameOrigin, sendError } from './http.ts';
import type { RequestState } from './request.ts';

/** What the API counts of itself, and tells to whoever watches it, together with what the database tells. */
export interface Metrics {
  /** A request, or an operation on a websocket, was answered after so many milliseconds; or refused before it began. */
  answered(request: Pick<RequestState, 'kind' | 'code'>, milliseconds?: number): void;
  /** A connection was closed unheard, because there were too many. */
  connectionDropped(): void;
  /** Answers a request for /metrics. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<void>;
}

export interface MetricsOptions {
  pools: Readonly<Record<string, Pool>>;
  /** How many operations run on websockets, and on how many. */
  websockets: () => { connections: number; operations: number };
  watch?: Watch;
  /** Who has it may read them. Without it only this machine itself may, and none through a proxy. */
  token?: string;
  trustProxy: boolean;
}

/** All that a request can end with. A code of a library's own is none of them, and no label. */
const CODES = new Set([
  ...Object.keys(API_ERRORS),
  ...[...Object.values(CONDITIONS), ...Object.values(CONSTRAINTS), ...FAMILIES.map(({ entry }) => entry)].map(({ code }) => code),
  'OK',
  'CLIENT_GONE',
]);

/** Seconds, from an index lookup to the API's own limit. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function makeMetrics({ pools, websockets, watch, token, trustProxy }: MetricsOptions): Metrics {
  const registers = [new Registry()];
  const gauge = (name: string, help: string, collect: (this: Gauge) => void, labelNames: string[] = []): Gauge =>
    new Gauge({ name: `infirmary_api_${name}`, help, labelNames, registers, collect });

  const requests = new Counter({
    name: 'infirmary_api_requests_total',
    help: 'Requests answered, and operations on websockets, by what they asked for and the code they ended with.',
    labelNames: ['kind', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'infirmary_api_request_duration_seconds',
    help: 'How long requests took; a subscription until it was set up.',
    labelNames: ['kind'],
    buckets: BUCKETS,
    registers,
  });
  const dropped = new Counter({
    name: 'infirmary_api_connections_dropped_total',
    help: 'Connections closed unheard, because there were too many.',
    registers,
  });
  gauge('websockets', 'Websockets that are open.', function () {
    this.set(websockets().connections);
  });
  gauge('websocket_operations', 'Operations that run on websockets: subscriptions, and what is being answered.', function () {
    this.set(websockets().operations);
  });
  gauge(
    'pool_connections',
    'Connections to the database: of all, those idle, and requests that wait for one.',
    function () {
      for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(pools)) {
        this.set({ pool, state: 'all' }, totalCount);
        this.set({ pool, state: 'idle' }, idleCount);
        this.set({ pool, state: 'waiting' }, waitingCount);
      }
    },
    ['pool', 'state'],
  );
  const tell = watch && figuresIn(registers);

  const mayRead = (req: IncomingMessage): boolean =>
    token === undefined ? !trustProxy && isThisMachine(req) : hasToken(req, token);

  return {
    answered: ({ kind, code = 'OK' }, milliseconds) => {
      requests.inc({ kind, code: CODES.has(code) ? code : 'OTHER' });
      if (milliseconds !== undefined) durations.observe({ kind }, milliseconds / 1000);
    },
    connectionDropped: () => dropped.inc(),
    handle: async (req, res) => {
      if (!mayRead(req)) {
        if (token === undefined) return sendError(res, 404, 'NOT_FOUND');
        res.setHeader('WWW-Authenticate', 'Bearer');
        return sendError(res, 401, 'UNAUTHENTICATED');
      }
      if (req.method !== 'GET') {
        res.setHeader('Allow', 'GET');
        return sendError(res, 405, 'METHOD_NOT_ALLOWED');
      }
      tell?.(await watch!.read());
      const text = await Registry.merge([...registers, ofTheProcess()]).metrics();
      res.writeHead(200, { 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE, 'Content-Length': Buffer.byteLength(text) });
      res.end(text);
    },
  };
}

/** Declares the database's figures; returns what puts in those of now, or of a database that cannot be asked. */
function figuresIn(registers: Registry[]): (figures: readonly Figure[] | undefined) => void {
  const up = new Gauge({
    name: 'infirmary_database_up',
    help: 'Whether the database could be asked for its figures; all others of it are absent while it could not.',
    registers,
  });
  const kinds = Object.entries(FIGURES).map(([figure, { help, label }]) => {
    const options = { name: `infirmary_${figure}`, help, labelNames: label ? [label] : [], registers };
    const metric = figure.endsWith('_total') ? new Counter(options) : new Gauge(options);
    return [figure, { metric, label }] as const;
  });
  const metrics = new Map(kinds);
  return (figures) => {
    up.set(figures ? 1 : 0);
    // Without labels a reset says 0, which here would be a statement; `remove` says nothing.
    for (const { metric, label } of metrics.values()) label ? metric.reset() : metric.remove();
    for (const { name, label, value } of figures ?? []) {
      const known = metrics.get(name);
      known?.metric.inc(known.label ? { [known.label]: label ?? '' } : {}, value);
    }
  };
}

let ofThisProcess: Registry | undefined;

/** Memory, processor time and the lag of the event loop: of the process, however many APIs run in it. */
function ofTheProcess(): Registry {
  if (!ofThisProcess) {
    ofThisProcess = new Registry();
    collectDefaultMetrics({ register: ofThisProcess });
    // Gauges that are called as only counters may be.
    for (const kind of ['handles', 'requests', 'resources']) ofThisProcess.removeSingleMetric(`nodejs_active_${kind}_total`);
  }
  return ofThisProcess;
}

/** Compared by digests, which are of one length and tell nothing of how much was right. */
function hasToken(req: IncomingMessage, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(req.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

const LOOPBACK = /^(127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/;
const OWN_NAMES = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;
const OF_PROXIES = /^(forwarded|via|x-forwarded-.*|x-real-ip|cf-connecting-ip|true-client-ip)$/;

/**
 * Whether the caller is a program on this machine: nothing says that it passes on what another machine asked, and it
 * asked for this machine by name, as a page that had its own name pointed here would not.
 */
function isThisMachine(req: IncomingMessage): boolean {
  return (
    LOOPBACK.test(req.socket.remoteAddress ?? '') &&
    OWN_NAMES.test(req.headers.host ?? '') &&
    isSameOrigin(req) &&
    !Object.keys(req.headers).some((name) => OF_PROXIES.test(name))
  );
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { postgraphile } from 'postgraphile';
import { PgSubscriber } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { cookieToken } from './cookies.ts';
import { DOCUMENTS_FOLDER, readDocuments } from './documents.ts';
import type { ApiErrorCode } from './error-register.ts';
import { describeError, refusal } from './errors.ts';
import { isEncrypted, isSameOrigin, refuseConnection, securityHeaders, sendError, sendJson } from './http.ts';
import { bearerToken, clientAddress, identify, type Identity, type JwtKey } from './identity.ts';
import { watchDatabase } from '../metrics/watch.ts';
import { listen, type Listen } from './listen.ts';
import { LIMITS, PATIENCE, type Patience } from './limits.ts';
import { logEvent } from './log.ts';
import { isPlainRequest } from './plain-requests.ts';
import { makeMetrics, type Metrics } from './metrics.ts';
import { makePool, poolFigures, requireHospital, requireListening } from './pool.ts';
import { makePreset, MAX_REQUEST_LENGTH } from './preset.ts';
import { relayed, startRelay } from './relay.ts';
import { isReportPath, makeReports } from './reports.ts';
import { rememberIdentity, requestIdOf, withRequest, type RequestKind, type RequestState } from './request.ts';
import { handleSession } from './session.ts';
import type { EventSource } from './subscriptions.ts';
import { makeWebsockets } from './websockets.ts';

export interface ServeOptions extends Listen {
  /** The database, as hospital_authenticator. */
  databaseUrl: string;
  /** The same without a pooler, where `databaseUrl` leads through one: to listen for subscribers. */
  subscriptionsUrl?: string;
  /** A standby of it, likewise, that answers what asks for analytics only. */
  analyticsDatabaseUrl?: string;
  /** The first key signs access tokens, all verify them. */
  jwtKeys: readonly JwtKey[];
  environment: 'production' | 'development';
  /** A folder of `<id>.graphql` documents, instead of Infirmary's own. */
  documentsFolder?: string;
  /** Answer documents that are not registered; the default in development. */
  allowAnyDocument?: boolean;
  /** Believe X-Forwarded-For and X-Forwarded-Proto. */
  trustProxy?: boolean;
  /** Certificate and key in PEM: TLS here instead of in a proxy. */
  tls?: { cert: string; key: string };
  /** Other bounds on what a client may take, for tests. */
  patience?: Partial<Patience>;
  /** Connections to the database; 10 unless said otherwise. */
  poolSize?: number;
  /** Write one line of JSON per request to stderr. */
  accessLog?: boolean;
  /** The database, as hospital_monitor, for the figures of /metrics. */
  monitorUrl?: string;
  /** Who has it may read /metrics; without it, programs on this machine may. */
  metricsToken?: string;
}

export interface RunningApi {
  /** The address of the GraphQL endpoint. */
  url: string;
  /** Finishes what is being answered, closes everything, and resolves; at most 10 seconds. */
  stop(): Promise<void>;
}

const STOP_WITHIN = 10_000;
const SOCKETS_CLOSE_WITHIN = 1_000;

/** Starts the API. Fails when the database cannot be reached, its schema cannot be built or the port is taken. */
export async function serve(options: ServeOptions): Promise<RunningApi> {
  const { environment, jwtKeys, trustProxy = false } = options;
  const pool = makePool(options);
  const analyticsPool = options.analyticsDatabaseUrl
    ? makePool({ ...options, databaseUrl: options.analyticsDatabaseUrl })
    : undefined;
  const listeningPool = options.subscriptionsUrl
    ? makePool({ databaseUrl: options.subscriptionsUrl, poolSize: 1 })
    : pool;
  const pools = [...new Set([pool, listeningPool, ...(analyticsPool ? [analyticsPool] : [])])];
  const endPools = async (): Promise<void> => {
    for (const each of pools) await each.end();
  };
  const documents = readDocuments(options.documentsFolder ?? DOCUMENTS_FOLDER);
  const onlyDocuments = !(options.allowAnyDocument ?? environment === 'development');
  let draining = false;

  // Asked first: PostGraphile would begin to build its schema at once, and fail where nobody listens.
  await requireHospital(pool)
    .then(() => requireListening(listeningPool))
    .catch(async (error: unknown) => {
      await endPools();
      throw error;
    });
  const watch = options.monitorUrl ? watchDatabase(options.monitorUrl) : undefined;
  const relay = startRelay(pool, identify(jwtKeys, undefined, { id: '', address: '' }).claims);
  const subscriber = new PgSubscriber(listeningPool);
  const preset = makePreset({
    pool,
    ...(analyticsPool && { analyticsPool }),
    jwtKeys,
    environment,
    documents,
    onlyDocuments,
    trustProxy,
    events: relayed(subscriber as EventSource, relay),
  });
  const api = postgraphile(preset);
  const release = async (): Promise<void> => {
    await api.release();
    await relay.stop();
    // Gives the listening client back; without it its pool's end() would wait for it for ever.
    subscriber.release();
    await endPools();
    await watch?.stop();
  };

  const orRelease = async (error: unknown): Promise<never> => {
    await release().catch(() => {});
    throw error;
  };
  await Promise.resolve(api.getSchema()).catch(orRelease);

  const graphql = api.createServ(grafserv);
  const handleGraphql = graphql.createHandler();
  const metrics = makeMetrics({
    pools: { main: pool, ...(analyticsPool && { analytics: analyticsPool }) },
    websockets: () => websockets.count(),
    ...(watch && { watch }),
    token: options.metricsToken,
    trustProxy,
  });
  const websockets = makeWebsockets(graphql, MAX_REQUEST_LENGTH, (operation, milliseconds) => {
    metrics.answered(operation, milliseconds);
    if (options.accessLog) logEvent('info', 'operation', describeWork(operation, milliseconds));
  });

  /** Who sent this: a bearer token, else the cookie of our own pages, else nobody. */
  const identityFor = (req: IncomingMessage, id: string, secure: boolean): Identity => {
    const token = bearerToken(req.headers.authorization) ?? cookieToken(req, secure);
    return identify(jwtKeys, token, { id, address: clientAddress(req, trustProxy) });
  };

  const patience = { ...PATIENCE, ...options.patience };
  const handleReport = makeReports({ pool, atOnce: LIMITS.reports, patience: patience.report });

  const answer = async (req: IncomingMessage, res: ServerResponse, id: string): Promise<void> => {
    const path = pathOf(req);
    const secure = environment === 'production' || isEncrypted(req, trustProxy);
    const isPage = environment === 'development' && path.startsWith('/ruru');
    for (const [name, value] of Object.entries(securityHeaders({ secure, isPage }))) res.setHeader(name, value);
    if (draining) res.setHeader('Connection', 'close');
    if (path === '/livez') return sendJson(res, 200, { ok: true });
    if (path === '/readyz') {
      const { reachable, pool: figures } = await poolFigures(pool);
      const ok = reachable && !draining;
      return sendJson(res, ok ? 200 : 503, { ok, draining, pool: figures });
    }
    if (path === '/metrics') return metrics.handle(req, res);
    if (path === '/session' || path === '/session/refresh') {
      const address = clientAddress(req, trustProxy);
      return handleSession(req, res, { pool, jwtKeys, id, address, path, secure });
    }
    if (path === '/graphql') {
      try {
        rememberIdentity(req, identityFor(req, id, secure));
      } catch (error) {
        const entry = describeError(error);
        return sendError(res, entry.code === 'UNAUTHENTICATED' ? 401 : 403, entry);
      }
      if (!isPlainRequest(req, res, MAX_REQUEST_LENGTH)) return;
      return handleGraphql(req, res);
    }
    if (isReportPath(path)) return handleReport(req, res, () => identityFor(req, id, secure));
    if (isPage) return handleGraphql(req, res);
    return sendError(res, 404, 'NOT_FOUND');
  };

  const server = makeServer(options.tls, patience, (req, res) => {
    const id = requestIdOf(req);
    res.setHeader('X-Request-Id', id);
    const request: RequestState = { id, kind: kindOf(pathOf(req)) };
    whenDone(req, res, request, metrics, options.accessLog ?? false);
    // Kept alive for a next request, it would hold up the stop.
    res.on('close', () => draining && server.closeIdleConnections());
    // What was refused before it had all come is not read on for ever.
    res.on('finish', () => {
      if (!req.complete) setTimeout(() => req.complete || req.socket.destroy(), patience.rest).unref();
    });
    withRequest(request, () =>
      answer(req, res, id).catch((error: unknown) => {
        if (res.headersSent) res.destroy();
        else sendError(res, 500, describeError(error));
      }),
    );
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400;
    metrics.answered({ kind: 'unreadable', code: 'BAD_REQUEST' });
    refuseConnection(socket, status, 'BAD_REQUEST', environment === 'production' || options.tls !== undefined);
  });
  server.on('drop', () => metrics.connectionDropped());
  const sockets = new Set<Duplex>();
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const secure = environment === 'production' || isEncrypted(req, trustProxy);
    try {
      if (draining || pathOf(req) !== '/graphql') throw refusal('NOT_FOUND');
      // A page of another site may open a websocket anywhere, so its origin is asked for, cookie or not.
      if (!isSameOrigin(req)) throw refusal('ORIGIN_REFUSED');
      rememberIdentity(req, identityFor(req, requestIdOf(req), secure));
      websockets.accept(req, socket, head, securityHeaders({ secure }));
    } catch (error) {
      const { code } = describeError(error);
      metrics.answered({ kind: 'other', code });
      refuseConnection(socket, 403, code as ApiErrorCode, secure);
    }
  });

  const origin = await listen(server, options).catch(orRelease);

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    draining = true;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    const impatience = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, SOCKETS_CLOSE_WITHIN);
    const deadline = setTimeout(() => server.closeAllConnections(), STOP_WITHIN - SOCKETS_CLOSE_WITHIN);
    try {
      await websockets.close();
      await closed;
      await release();
    } finally {
      clearTimeout(impatience);
      clearTimeout(deadline);
    }
  };
  return {
    url: `${origin}/graphql`,
    stop: () => (stopping ??= stop()),
  };
}

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

function makeServer(tls: ServeOptions['tls'], patience: Patience, listener: Listener): Server {
  const bounds = {
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    connectionsCheckingInterval: Math.min(5000, patience.headers),
  };
  const server = tls
    ? createSecureServer({ ...bounds, ...tls, minVersion: 'TLSv1.2' }, listener)
    : createServer(bounds, listener);
  server.maxConnections = patience.connections;
  server.maxHeadersCount = patience.headerCount;
  // Nothing that is announced here is expected of us.
  server.on('checkExpectation', listener);
  return server;
}

/** A path that nobody serves is the client's own words, and those stay out of the log. */
const SERVED = /^\/(graphql|session|session\/refresh|livez|readyz|metrics|ruru)$/;

function kindOf(path: string): RequestKind {
  if (path === '/graphql') return 'unreadable';
  if (path.startsWith('/session')) return 'session';
  if (isReportPath(path)) return 'report';
  return ['/livez', '/readyz', '/metrics'].includes(path) ? 'probe' : 'other';
}

/** Counts the request when it has been answered or given up, and writes its line to the log. */
function whenDone(
  req: IncomingMessage,
  res: ServerResponse,
  request: RequestState,
  metrics: Metrics,
  isLogged: boolean,
): void {
  const began = performance.now();
  const path = pathOf(req);
  res.on('close', () => {
    const milliseconds = performance.now() - began;
    if (!res.writableFinished) request.code ??= 'CLIENT_GONE';
    metrics.answered(request, milliseconds);
    if (!isLogged) return;
    logEvent('info', 'request', {
      method: req.method,
      path: SERVED.test(path) ? path : isReportPath(path) ? '/reports' : 'another',
      status: res.statusCode,
      ...describeWork(request, milliseconds),
    });
  });
}

function describeWork({ id, kind, code = 'OK' }: RequestState, milliseconds: number): Record<string, unknown> {
  return { requestId: id, kind, code, milliseconds: Math.round(milliseconds * 10) / 10 };
}

function pathOf(req: IncomingMessage): string {
  return (req.url ?? '/').split('?', 1)[0]!;
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { getOperationAST, type DocumentNode } from 'postgraphile/graphql';
import type { Identity } from './identity.ts';

/** What a request asks for, as figures and the log tell it: never by a name that a client chose. */
export type RequestKind = 'query' | 'mutation' | 'subscription' | 'unreadable' | 'session' | 'report' | 'probe' | 'other';

/** A request being worked on, and what has become known of it. */
export interface RequestState {
  id: string;
  /** `unreadable` until GraphQL has found an operation in it. */
  kind: RequestKind;
  /** The first error's code, once there is one. */
  code?: string;
}

const running = new AsyncLocalStorage<RequestState>();
const identities = new WeakMap<IncomingMessage, Identity>();
const ids = new WeakMap<IncomingMessage, string>();

/** A UUID, or a trace id of 32 hexadecimal digits, which proxies make: a name or a number of a patient is neither. */
const ID = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/** The id of a request, always the same: the client's own when it is plainly an id, otherwise a new one. */
export function requestIdOf(req: IncomingMessage): string {
  const known = ids.get(req);
  if (known !== undefined) return known;
  const given = req.headers['x-request-id'];
  const id = typeof given === 'string' && ID.test(given) ? given : randomUUID();
  ids.set(req, id);
  return id;
}

/** Runs work that belongs to one request, so that an error deep inside can name it. */
export function withRequest<T>(request: RequestState, work: () => T): T {
  return running.run(request, work);
}

/** The id of the request being worked on; a new one outside of any (a websocket's message). */
export function currentRequestId(): string {
  return running.getStore()?.id ?? randomUUID();
}

/** Notes with which code the request is answered; the first of several counts. */
export function noteCode(code: unknown): void {
  const request = running.getStore();
  if (request && typeof code === 'string') request.code ??= code;
}

/** What an operation is, by its document. */
export function operationKind(document: DocumentNode, operationName: string | null | undefined): RequestKind {
  return getOperationAST(document, operationName)?.operation ?? 'unreadable';
}

/** Notes what the request asks for. */
export function noteKind(kind: RequestKind): void {
  const request = running.getStore();
  if (request) request.kind = kind;
}

/** Remembers who is behind an HTTP request, for the GraphQL context built later from the same request. */
export function rememberIdentity(req: IncomingMessage, identity: Identity): void {
  identities.set(req, identity);
}

/** Who is behind an HTTP request, as remembered before it was handed to GraphQL. */
export function identityOf(req: IncomingMessage): Identity | undefined {
  return identities.get(req);
}

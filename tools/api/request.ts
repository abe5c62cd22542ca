import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Identity } from './identity.ts';

const running = new AsyncLocalStorage<string>();
const identities = new WeakMap<IncomingMessage, Identity>();

/** The id of a request: the client's own when it is plainly an id, otherwise a new one. */
export function requestIdOf(req: IncomingMessage): string {
  const given = req.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(given) ? given : randomUUID();
}

/** Runs work that belongs to one request, so that an error deep inside can name it. */
export function withRequestId<T>(id: string, work: () => T): T {
  return running.run(id, work);
}

/** The id of the request being worked on; a new one outside of any (a websocket's message). */
export function currentRequestId(): string {
  return running.getStore() ?? randomUUID();
}

/** Remembers who is behind an HTTP request, for the GraphQL context built later from the same request. */
export function rememberIdentity(req: IncomingMessage, identity: Identity): void {
  identities.set(req, identity);
}

/** Who is behind an HTTP request, as remembered before it was handed to GraphQL. */
export function identityOf(req: IncomingMessage): Identity | undefined {
  return identities.get(req);
}

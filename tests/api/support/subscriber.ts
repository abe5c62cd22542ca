import { createClient } from 'graphql-ws';
import { createRequire } from 'node:module';
import { stopping } from './stopping.ts';

/** One operation over a websocket. */
export interface Subscriber {
  /** The next event; `errors` when the operation was refused, `closed` when the connection was; undefined at its end. */
  next(): Promise<any>;
  /** Ends it and returns the events nobody asked for. */
  close(): Promise<any[]>;
}

// The one that comes with the server: Node's own cannot send cookies.
const WebSocket = createRequire(import.meta.url)('ws');

/** Connects and sends one operation; rejects when the connection is refused. */
export async function subscribe(
  url: string,
  query: string,
  token?: string,
  headers: Record<string, string> = {},
  variables: Record<string, unknown> = {},
): Promise<Subscriber> {
  const events: any[] = [];
  const waiting: ((event: any) => void)[] = [];
  let ended = false;
  const push = (event: any): void => {
    const first = waiting.shift();
    if (first) first(event);
    else events.push(event);
  };
  const end = (): void => {
    ended = true;
    for (const resolve of waiting.splice(0)) resolve(undefined);
  };
  class Socket extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address, protocol, { headers });
    }
  }
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: Socket,
    lazy: false,
    retryAttempts: 0,
    connectionParams: token === undefined ? {} : { authorization: `Bearer ${token}` },
    onNonLazyError: () => {},
  });
  await new Promise<void>((resolve, reject) => {
    client.on('connected', () => resolve());
    client.on('closed', () => reject(new Error('The connection was refused.')));
    client.on('error', () => reject(new Error('The connection was refused.')));
  });
  stopping.push(async () => client.dispose());
  const unsubscribe = client.subscribe(
    { query, variables },
    {
      next: push,
      error: (problem) =>
        push(Array.isArray(problem) ? { errors: problem } : { closed: (problem as CloseEvent).code }),
      complete: end,
    },
  );
  return {
    next: () => {
      if (events.length > 0) return Promise.resolve(events.shift());
      if (ended) return Promise.resolve(undefined);
      return new Promise((resolve) => waiting.push(resolve));
    },
    close: async () => {
      unsubscribe();
      await client.dispose();
      return events;
    },
  };
}

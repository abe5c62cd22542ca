import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { useServer } from 'graphql-ws/use/ws';
import { makeGraphQLWSConfig, type GrafservBase } from 'postgraphile/grafserv';
import { measureOperations, type Answered } from './websocket-operations.ts';

// ws brings no types of its own.
const { WebSocketServer } = createRequire(import.meta.url)('ws');

/** GraphQL over websockets. */
export interface Websockets {
  /** Takes a connection over from HTTP, answering with these headers. */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer, headers: Record<string, string>): void;
  /** How many are open, and how many operations run on them. */
  count(): { connections: number; operations: number };
  /** Tells every client to go and waits until they have gone. */
  close(): Promise<void>;
}

/** A server of its own instead of grafserv's, which would read messages of up to 100 MiB. */
export function makeWebsockets(graphql: GrafservBase, maxPayload: number, answered: Answered): Websockets {
  const server = new WebSocketServer({ noServer: true, maxPayload });
  const answers = new WeakMap<IncomingMessage, Record<string, string>>();
  server.on('headers', (lines: string[], req: IncomingMessage) => {
    for (const [name, value] of Object.entries(answers.get(req) ?? {})) lines.push(`${name}: ${value}`);
  });
  const { hooks, operations } = measureOperations(makeGraphQLWSConfig(graphql), answered);
  const { dispose } = useServer(hooks as never, server);
  return {
    accept(req, socket, head, headers) {
      answers.set(req, headers);
      server.handleUpgrade(req, socket, head, (client: unknown) => server.emit('connection', client, req));
    },
    count: () => ({ connections: server.clients.size, operations: operations() }),
    close: async () => dispose(),
  };
}

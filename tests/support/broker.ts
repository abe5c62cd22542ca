import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createSecureServer } from 'node:tls';
import { Aedes, type AedesPublishPacket } from 'aedes';

/** What a message of the publisher says. */
export interface Heard {
  topic: string;
  qos: number;
  stream: string;
  sequence: number;
  table: string;
  operation: string;
  key: string;
}

/** A message broker within the test, that can fail. */
export interface TestBroker {
  url: string;
  /** Everything it took, in order, doubles included. */
  heard: Heard[];
  /** Is asked before each message is taken; false breaks all connections instead, as when a broker dies. */
  takes: (message: Heard) => Promise<boolean> | boolean;
}

/** Opens a broker on a free port, with TLS when given a certificate. */
export async function openBroker(t: TestContext, tls?: { cert: string; key: string }): Promise<TestBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const handle = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  };
  const server = tls ? createSecureServer(tls, handle) : createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const broker: TestBroker = {
    url: `${tls ? 'mqtts' : 'mqtt'}://user:not-in-logs@127.0.0.1:${port}`,
    heard: [],
    takes: () => true,
  };
  const take = async (packet: Pick<AedesPublishPacket, 'topic' | 'qos' | 'payload'>): Promise<boolean> => {
    const message = { topic: packet.topic, qos: packet.qos, ...JSON.parse(packet.payload.toString()) } as Heard;
    if (!(await broker.takes(message))) return false;
    broker.heard.push(message);
    return true;
  };
  // One after the other, and nothing more from a connection that is broken.
  let before = Promise.resolve();
  aedes.authorizePublish = (client, packet, callback) => {
    before = before.then(async () => {
      if (client?.conn.destroyed) return;
      if (await take(packet)) return callback(null);
      for (const socket of sockets) socket.destroy();
    });
  };
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await new Promise<void>((resolve) => void aedes.close(() => resolve()));
  });
  return broker;
}

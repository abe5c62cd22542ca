import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPrimary, type Node } from './primary.ts';

/** One address that leads to whichever server takes writes. */
export interface Relay {
  port: number;
  close(): Promise<void>;
}

/** How often the servers are asked, in milliseconds. */
const pause = 1_000;

/**
 * Opens it. Who connects while no server takes writes waits until one does, and connections to a server that
 * another has replaced are ended, also where its machine is gone and nobody would ever answer on them.
 * What passes through is not looked at, so TLS and passwords are between the two ends.
 * @param url how to ask each node, as a role that may connect and no more
 */
export async function openRelay(
  { nodes, url, listen, tell }: { nodes: Node[]; url: string; listen: Node; tell(line: string): void },
): Promise<Relay> {
  const closing = new AbortController();
  const open = new Map<Socket, Node>();
  let primary: Node | undefined;

  const turnTo = (found: Node): void => {
    tell(`${found.host}:${found.port} takes the writes.`);
    primary = found;
    for (const [socket, node] of open) if (node !== found) socket.destroy();
  };
  const watch = async (): Promise<void> => {
    let told = new Map<Node, string>();
    while (!closing.signal.aborted) {
      const problems = new Map<Node, string>();
      const found = await findPrimary(nodes, url, (node, problem) => problems.set(node, problem));
      if (found && found !== primary) turnTo(found);
      // Once, not every second.
      for (const [node, problem] of problems) {
        if (told.get(node) !== problem) tell(`${node.host}:${node.port} cannot be asked: ${problem}`);
      }
      told = problems;
      await sleep(pause, undefined, { signal: closing.signal }).catch(() => {});
    }
  };
  const reach = async (client: Socket): Promise<void> => {
    client.on('error', () => {});
    while (!client.destroyed && !closing.signal.aborted) {
      const node = primary;
      const upstream = node && (await reached(node));
      if (!upstream || node !== primary || client.destroyed) {
        upstream?.destroy();
        await sleep(pause / 10);
        continue;
      }
      open.set(client, node);
      pipeline(client, upstream, client, () => {
        open.delete(client);
        client.destroy();
        upstream.destroy();
      });
      return;
    }
    client.destroy();
  };

  const server = createServer({ keepAlive: true, noDelay: true, pauseOnConnect: true }, (client) => void reach(client));
  server.listen(listen);
  await once(server, 'listening');
  const watching = watch();
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      if (closing.signal.aborted) return;
      closing.abort();
      const closed = once(server, 'close');
      server.close();
      for (const socket of open.keys()) socket.destroy();
      await Promise.all([closed, watching]);
    },
  };
}

async function reached({ host, port }: Node): Promise<Socket | undefined> {
  const socket = connect({ host, port, keepAlive: true, noDelay: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(2_000) });
    return socket;
  } catch {
    socket.destroy();
    return undefined;
  }
}

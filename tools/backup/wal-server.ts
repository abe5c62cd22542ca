import { randomBytes } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../failure.ts';
import { listLog, readLog, readPartial } from './wal-archive.ts';
import { parseLsn, parseSegment } from './lsn.ts';
import type { Manifest, Repository } from './repository.ts';

/** How far to recover: to the end of the log, of the backup, or to a moment. */
export type Target = 'latest' | 'backup' | Date;

/** Gives the log to a server that recovers, which itself can neither read the repository nor decrypt it. */
export interface WalServer {
  /** For fetch-wal.mjs. */
  address: { port: number; token: string };
  /** Why a file could not be given, if one could not: recovery has then stopped. */
  problem(): string | undefined;
  /** The last segment that was given. */
  last(): string | undefined;
  close(): void;
}

/**
 * Serves the log on the loopback address to whoever knows the token.
 * @param target `backup` for a recovery to the backup's end, which the backup itself holds all it needs for
 */
export async function serveLog(repository: Repository, backup: Manifest, target: Target): Promise<WalServer> {
  const token = randomBytes(24).toString('hex');
  let problem: string | undefined;
  let last: string | undefined;
  const server = http.createServer((request, response) => {
    const [, given, name = ''] = (request.url ?? '').split('/');
    if (given !== token) return void response.writeHead(403).end();
    (target === 'backup' ? Promise.resolve(undefined) : find(repository, backup, name)).then(
      (bytes) => {
        if (bytes && !name.includes('.')) last = name;
        response.writeHead(bytes ? 200 : 404, { 'content-length': bytes?.length ?? 0 }).end(bytes);
      },
      (error: unknown) => {
        problem = `${name}: ${messageOf(error)}`;
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  return {
    address: { port: (server.address() as AddressInfo).port, token },
    problem: () => problem,
    last: () => last,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The log ends where nothing follows. Where something does, a file is missing, and that is no end. */
async function find(repository: Repository, backup: Manifest, name: string): Promise<Buffer | undefined> {
  const { segmentSize, endLsn } = backup;
  const whole = await readLog(repository, name);
  if (whole || !/^[0-9A-F]{24}$/.test(name)) return whole;
  const partial = await readPartial(repository, name);
  if (partial) return Buffer.concat([partial, Buffer.alloc(segmentSize - partial.length)]);
  // The backup brings what it needed itself.
  if (parseSegment(name, segmentSize).number < parseLsn(endLsn) / BigInt(segmentSize)) return undefined;
  const { segments, partial: arriving } = await listLog(repository);
  const timeline = Number.parseInt(name.slice(0, 8), 16);
  const later = [...(segments.get(timeline) ?? []), arriving.get(timeline) ?? ''].find((other) => other > name);
  if (later) throw new Error(`it is missing, and ${later} is there`);
  return undefined;
}

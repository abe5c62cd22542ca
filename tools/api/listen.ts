import type { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Failure } from '../failure.ts';

/** How many ports after the wanted one are tried. */
const PORTS_TO_TRY = 100;

/** Where to listen. */
export interface Listen {
  /** 0: any free port. */
  port?: number;
  /** Whether the next port may be taken when `port` is in use. */
  nextPortIfTaken?: boolean;
  /** The interface; only this machine unless said otherwise. */
  host?: string;
}

/** Listens and returns the base URL under which this machine reaches the server. Fails when the port is taken. */
export async function listen(
  server: Server | SecureServer,
  { port = 0, host = '127.0.0.1', nextPortIfTaken }: Listen,
): Promise<string> {
  for (let candidate = port; ; candidate += 1) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(candidate, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      const scheme = server instanceof SecureServer ? 'https' : 'http';
      return `${scheme}://${hostInUrl(host)}:${(server.address() as AddressInfo).port}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (!nextPortIfTaken || candidate >= port + PORTS_TO_TRY) {
        throw new Failure(`Port ${candidate} is taken.`, 'Set PORT to a free one, or stop what is using it.');
      }
    }
  }
}

function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

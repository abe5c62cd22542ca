import type { JwtKey } from '../api/identity.ts';
import { answerCalls } from './child.ts';
import { profile, profiled } from './profiler.ts';
import { record, recorded } from './recorder.ts';

/** With what each of the servers compared is opened. */
export interface Opening {
  /** The database, as hospital_authenticator. */
  databaseUrl: string;
  /** The same, where that one leads through a pooler. */
  subscriptionsUrl?: string;
  jwtKeys: JwtKey[];
  poolSize: number;
}

/** A server that listens. */
export interface Opened {
  url: string;
  stop(): Promise<void>;
}

/** In a child process: serves, and tells what it costs. All servers compared carry the same instruments. */
export function beServed(open: (opening: Opening) => Promise<Opened>): void {
  let opened: Opened | undefined;
  answerCalls(
    {
      open: async (opening: Opening) => {
        opened = await open(opening);
        return opened.url;
      },
      /** Microseconds of CPU this process has used. */
      cpu: () => {
        const { user, system } = process.cpuUsage();
        return user + system;
      },
      record,
      recorded,
      profile,
      profiled,
    },
    () => opened?.stop(),
  );
}

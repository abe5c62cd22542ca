import { setTimeout as sleep } from 'node:timers/promises';
import { startToStay } from '../cluster/embedded.ts';
import { acquireServer, type Server } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import type { Settings } from '../settings.ts';
import { type Progress, showProgress } from '../terminal.ts';
import { copyServer, type Wish } from './copy.ts';
import { requireStandby } from './synchronous.ts';

/** A standby that follows. */
export interface Created {
  home: string;
  name: string;
  port: number;
  synchronous: boolean;
  /** Where the data are that were in the folder before. */
  aside: string | undefined;
}

/** Makes a standby of the hospital's server, starts it to stay, and returns when it has caught up. */
export async function createStandby(settings: Settings, wish: Wish & { synchronous: boolean }): Promise<Created> {
  const server = await acquireServer(settings);
  try {
    const { into: home, name, synchronous } = wish;
    const aside = await copyAloud(settings, server, wish);
    const port = await startToStay({ ...settings, home });
    await untilState(server, name, 'streaming');
    if (synchronous) {
      await requireStandby(server.url('postgres'), name, true);
      await untilState(server, name, 'sync', 'potential');
    }
    return { home, name, port, synchronous, aside };
  } finally {
    await server.release();
  }
}

async function copyAloud(settings: Settings, server: Server, wish: Wish): Promise<string | undefined> {
  let progress: Progress | undefined;
  let percent = 0;
  try {
    return await copyServer(settings, server, {
      ...wish,
      onProgress: (bytes, total) => {
        progress ??= showProgress('Copying, in percent', 100);
        const now = Math.min(100, Math.floor((100 * bytes) / Math.max(total, 1)));
        if (now > percent) progress.advance(now - percent);
        percent = Math.max(percent, now);
      },
    });
  } finally {
    progress?.end();
  }
}

/** Waits until the primary says so of the standby. As hospital_backup one sees no state, as the superuser one does. */
async function untilState(server: Server, name: string, ...wanted: string[]): Promise<void> {
  await withClient(server.url('postgres'), async (client) => {
    for (;;) {
      const { rows } = await ask(client, 'select state, sync_state from pg_stat_replication where application_name = $1', [name]);
      if (rows.flat().some((each) => wanted.includes(String(each)))) return;
      await sleep(100);
    }
  });
}

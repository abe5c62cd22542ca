import { rmSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireEmbedded, startToStay, statusOf } from '../cluster/embedded.ts';
import { openHome } from '../cluster/home.ts';
import { withLock } from '../cluster/lock.ts';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure, messageOf } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { isAnswer } from './answer.ts';
import { type Note, readNote, removeNote, retire } from './note.ts';

/** What the operator says of the primary when it cannot be seen that it is off. */
export interface Asserted {
  /** He has seen to it, though from here nobody can tell. */
  primaryIsOff?: boolean | undefined;
  /** Two servers taking writes are what he wants. */
  whileThePrimaryRuns?: boolean | undefined;
}

/** A standby that has become the hospital's server. */
export interface Promoted {
  home: string;
  port: number;
  timeline: number;
  /** The last commit it has, by the primary's clock; null when none came since it was started. */
  lastCommit: string | null;
  /** From the order to the first moment at which it took writes. */
  seconds: number;
  /** Whether the old server is kept from starting again. */
  retired: boolean;
}

/**
 * Makes the standby in `folder` the hospital's server. Two servers that both take writes never come together
 * again, so it is refused while the primary answers, and while nobody can tell.
 */
export async function promoteStandby(settings: Settings, folder: string, asserted: Asserted = {}): Promise<Promoted> {
  const note = readNote(folder);
  const { primaryHome } = note;
  if (primaryHome === undefined || asserted.whileThePrimaryRuns) {
    await refuseRunning(settings, note, folder, asserted);
    return { ...(await promote(settings, folder, () => {})), retired: false };
  }
  // Nobody starts it from here on: whatever comes of the order that follows, there is one server at most.
  return withLock(openHome(primaryHome).locks, async () => {
    await refuseRunning(settings, note, folder, asserted);
    return { ...(await promote(settings, folder, () => retire(primaryHome, folder))), retired: true };
  });
}

async function refuseRunning(settings: Settings, note: Note, folder: string, asserted: Asserted): Promise<void> {
  if (asserted.whileThePrimaryRuns) return;
  const where = note.primaryHome ?? `${note.host}:${note.port}`;
  const state = note.primaryHome === undefined ? await look(note) : stateOf({ ...settings, home: note.primaryHome });
  if (state === 'running') {
    const stop = note.primaryHome ? `INFIRMARY_HOME=${note.primaryHome} infirmary db stop` : 'stop it there';
    throw new Failure(
      `The primary runs (${where}): promoted now, the standby would take other writes than it does.`,
      `Stop it first, and nothing is lost: ${stop}\n` +
        `Is the standby to be a second hospital, for a rehearsal: infirmary standby promote ${folder} --while-the-primary-runs`,
    );
  }
  if (state !== 'off' && !asserted.primaryIsOff) {
    throw new Failure(
      `Nobody can tell from here whether the primary is off (${where}: ${state}).`,
      'Make sure that it is, and stays so: switch the machine off, or cut it from those who use it.\n' +
        `Then: infirmary standby promote ${folder} --primary-is-off`,
    );
  }
}

function stateOf(settings: Settings): string {
  return statusOf(settings).running ? 'running' : 'off';
}

/** `running` when anything answers as a server would, `off` when its machine says that nobody listens, else what is in the way. */
async function look({ host, port }: Note): Promise<string> {
  const client = new pg.Client({ host, port, user: 'hospital_backup', database: 'postgres', password: '-', connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return 'running';
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') return 'off';
    return isAnswer(error) ? 'running' : messageOf(error);
  } finally {
    await client.end().catch(() => {});
  }
}

async function promote(settings: Settings, folder: string, beforehand: () => void): Promise<Omit<Promoted, 'retired'>> {
  const own = { ...settings, home: folder };
  const port = await startToStay(own);
  const server = await acquireEmbedded(own, true);
  try {
    return await withClient(server.url('postgres'), async (client) => {
      const one = async (sql: string): Promise<unknown> => (await ask(client, sql)).rows[0]![0];
      const began = performance.now();
      beforehand();
      if (await one('select pg_is_in_recovery()')) await one('select pg_promote(false)');
      while (await one('select pg_is_in_recovery()')) await sleep(20);
      const seconds = (performance.now() - began) / 1000;
      const lastCommit = (await one(
        `select to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
      )) as string | null;
      const timeline = await one(`select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer`);
      for (const setting of ['primary_conninfo', 'primary_slot_name']) await client.query(`alter system reset ${setting}`);
      rmSync(path.join(folder, 'keys', 'primary.pgpass'), { force: true });
      removeNote(folder);
      return { home: folder, port, timeline: timeline as number, lastCommit, seconds };
    });
  } finally {
    await server.release();
  }
}

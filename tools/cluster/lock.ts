import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../failure.ts';
import { say } from '../terminal.ts';
import { writeWhole } from './home.ts';
import { identityOf, isAlive } from './processes.ts';

/**
 * Runs `work` while no other process does so for the same folder: two commands at once must not both
 * create or start the cluster.
 *
 * A lock left by a killed process is never removed and retaken, since two processes could both do that.
 * Instead locks are numbered: the highest number counts, and whoever creates the next one holds it.
 * @param holderDoes what to tell of the process that is waited for
 */
export async function withLock<Result>(
  folder: string,
  work: () => Promise<Result>,
  holderDoes = 'which is starting or stopping the server',
): Promise<Result> {
  const release = await acquire(folder, holderDoes);
  try {
    return await work();
  } finally {
    release();
  }
}

async function acquire(folder: string, holderDoes: string): Promise<() => void> {
  const began = Date.now();
  let told = false;
  for (;;) {
    const newest = numbers(folder).at(-1) ?? 0;
    const holder = newest === 0 ? undefined : holderOf(folder, newest);
    if (holder === undefined || !isAlive(holder)) {
      const lock = path.join(folder, String(newest + 1));
      if (writeWhole(lock, identityOf(process.pid) ?? '', true)) {
        // While we looked, somebody may have gone further and tidied up what we looked at.
        if (numbers(folder).at(-1) === newest + 1) {
          for (const old of numbers(folder))
            if (old <= newest) rmSync(path.join(folder, String(old)), { force: true });
          return () => void writeWhole(lock, 'free');
        }
        rmSync(lock, { force: true });
      }
      continue;
    }
    if (!told && Date.now() - began > 3000) {
      say(`Waiting for process ${Number.parseInt(holder, 10)}, ${holderDoes}.`);
      told = true;
    }
    await sleep(25);
  }
}

function numbers(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function holderOf(folder: string, number: number): string | undefined {
  try {
    return readFileSync(path.join(folder, String(number)), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

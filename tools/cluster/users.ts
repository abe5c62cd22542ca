import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../failure.ts';
import { type Home, readIfPresent, writeWhole } from './home.ts';
import type { Postmaster } from './postmaster.ts';
import { identityOf, isAlive } from './processes.ts';

let count = 0;

/** Notes that this process uses the server; the function returned takes the note away. */
export function enter(home: Home): () => void {
  count += 1;
  const note = path.join(home.users, `${process.pid}-${count}`);
  writeWhole(note, identityOf(process.pid) ?? '');
  return () => rmSync(note, { force: true });
}

/** The processes that use the server. Notes of those that were killed are swept away. */
export function usersOf(home: Home): number[] {
  const alive = readdirSync(home.users).filter((name) => {
    const note = path.join(home.users, name);
    if (isAlive(read(note))) return true;
    rmSync(note, { force: true });
    return false;
  });
  return [...new Set(alive.map((name) => Number.parseInt(name, 10)))];
}

function read(note: string): string {
  try {
    return readFileSync(note, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Lets this server, and no later one, outlive the processes that use it. */
export function keep(home: Home, postmaster: Postmaster): void {
  writeWhole(home.kept, markOf(postmaster));
}

/** Whether `db start` asked for this server to stay. */
export function isKept(home: Home, postmaster: Postmaster): boolean {
  return readIfPresent(home.kept) === markOf(postmaster);
}

/** Takes back what `keep` asked for. */
export function letGo(home: Home): void {
  rmSync(home.kept, { force: true });
}

function markOf({ pid, startedAt }: Postmaster): string {
  return `${pid} ${startedAt}`;
}

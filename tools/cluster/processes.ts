import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { codeOf } from '../failure.ts';

/**
 * A name for a running process that no later process with the same number will have: its number and
 * when it began. Undefined when there is no such process.
 */
export function identityOf(pid: number): string | undefined {
  const began = isRunning(pid) ? startOf(pid) : undefined;
  return began === undefined ? undefined : `${pid} ${began}`;
}

/** Whether the process that `identityOf` once named is still the one running under that number. */
export function isAlive(identity: string): boolean {
  const pid = Number.parseInt(identity, 10);
  return pid > 0 && identityOf(pid) === identity;
}

/** The program a process runs ('postgres'), or undefined when it has ended. */
export function programOf(pid: number): string | undefined {
  if (identityOf(pid) === undefined) return undefined;
  if (process.platform === 'linux') return readProc(pid, 'comm');
  if (process.platform === 'win32') return 'postgres';
  return ps(pid, 'comm');
}

/** The process that started a process, or that has inherited it. */
export function parentOf(pid: number): number | undefined {
  if (process.platform === 'win32') return undefined;
  return Number(process.platform === 'linux' ? statOf(pid)?.[1] : ps(pid, 'ppid')) || undefined;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return codeOf(error) === 'EPERM';
  }
}

function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const fields = statOf(pid);
    // A zombie has ended: only its parent has not looked yet.
    return fields?.[0] === 'Z' ? undefined : fields?.[19];
  }
  if (process.platform === 'win32') return 'unknown';
  return ps(pid, 'lstart');
}

function ps(pid: number, field: string): string | undefined {
  return (
    spawnSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || undefined
  );
}

/** The fields of stat from the third on; the second, in brackets, may itself hold spaces and brackets. */
function statOf(pid: number): string[] | undefined {
  return readProc(pid, 'stat')?.split(')').at(-1)?.trim().split(' ');
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

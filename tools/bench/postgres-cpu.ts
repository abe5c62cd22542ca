import { readdirSync, readFileSync } from 'node:fs';
import { statusOf } from '../cluster/embedded.ts';
import type { Settings } from '../settings.ts';

/** Linux counts in hundredths of a second. */
const ticksPerSecond = 100;

/** Seconds of CPU that all processes of the private cluster have used; undefined where /proc does not tell. */
export function postgresCpu(settings: Settings): number | undefined {
  const { pid } = statusOf(settings);
  if (process.platform !== 'linux' || pid === null) return undefined;
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (!stat) continue;
    if (Number(name) === pid) ticks += stat.own + stat.ofEnded;
    else if (stat.parent === pid) ticks += stat.own;
  }
  return ticks / ticksPerSecond;
}

/** Seconds of CPU that one process has used; undefined where /proc does not tell. */
export function cpuOf(pid: number): number | undefined {
  const stat = process.platform === 'linux' ? statOf(String(pid)) : undefined;
  return stat && stat.own / ticksPerSecond;
}

function statOf(pid: string): { parent: number; own: number; ofEnded: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    return { parent: fields[1]!, own: fields[11]! + fields[12]!, ofEnded: fields[13]! + fields[14]! };
  } catch {
    // It ended since the folder was read.
    return undefined;
  }
}

import { Session, type Profiler } from 'node:inspector/promises';
import path from 'node:path';
import { projectFolder } from '../settings.ts';

let session: Session | undefined;

/** Starts V8's CPU profiler in this process. */
export async function profile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  // Microseconds; a round is short.
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
}

/** Stops it, and says in a few lines where the time went: by package, then by function. */
export async function profiled(): Promise<string[]> {
  const { profile: taken } = await session!.post('Profiler.stop');
  session!.disconnect();
  session = undefined;
  const times = selfTimes(taken);
  // Starting and stopping the profiler is a good part of a short profile.
  const busy = times.filter(({ name, url }) => name !== '(idle)' && name !== '(program)' && url !== 'node:inspector');
  const total = busy.reduce((sum, { time }) => sum + time, 0);
  return [
    `CPU by package: ${shares(busy.map((each) => ({ ...each, name: packageOf(each.url) })), total, 10)}`,
    `CPU by function: ${shares(busy.map((each) => ({ ...each, name: `${each.name} (${packageOf(each.url)})` })), total, 12)}`,
  ];
}

interface SelfTime {
  name: string;
  url: string;
  time: number;
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): SelfTime[] {
  const times = new Map<number, number>();
  samples.forEach((id, index) => times.set(id, (times.get(id) ?? 0) + timeDeltas[index]!));
  return nodes.map(({ id, callFrame }) => ({
    name: callFrame.functionName || '(anonymous)',
    url: callFrame.url,
    time: times.get(id) ?? 0,
  }));
}

function packageOf(url: string): string {
  if (url === '') return 'V8';
  if (url.startsWith('node:')) return 'node';
  const installed = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(url)?.[1];
  return installed ?? path.relative(projectFolder, url.replace(/^file:\/\//, ''));
}

function shares(times: SelfTime[], total: number, most: number): string {
  const sums = new Map<string, number>();
  for (const { name, time } of times) sums.set(name, (sums.get(name) ?? 0) + time);
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, time]) => `${Math.round((100 * time) / total)} % ${name}`)
    .join(', ');
}

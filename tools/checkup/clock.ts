import type { Finding, Look } from './check.ts';

/** Milliseconds between two clocks from which on sessions, holds and tokens end at the wrong time. */
const tolerated = 2000;

/** Judges by how much a clock is ahead of ours (negative: behind). What the question took is not counted against it. */
export function judgeClock(ahead: number, took: number): Finding[] {
  if (Math.abs(ahead) <= tolerated + took) return [];
  const seconds = (Math.abs(ahead) / 1000).toFixed(1);
  return [
    {
      problem: `The clock of the server is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine's.`,
      remedy: 'On both machines: timedatectl set-ntp true',
    },
  ];
}

/** Compares the clock of the server with this machine's. */
export async function lookAtClock({ monitor }: Look): Promise<Finding[]> {
  const asked = Date.now();
  const { rows } = await monitor.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  );
  const answered = Date.now();
  return judgeClock(rows[0]!.now - (asked + answered) / 2, (answered - asked) / 2);
}

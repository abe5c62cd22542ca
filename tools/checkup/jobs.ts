import type { Job } from '../worker/job.ts';
import { jobs } from '../worker/jobs.ts';
import type { Finding, Look } from './check.ts';

const [minute, hour, day] = [60_000, 60 * 60_000, 24 * 60 * 60_000];

/** How long a job may rest between two runs, by the five fields of its schedule, in milliseconds. */
export function periodOf({ schedule }: Pick<Job, 'schedule'>): number {
  const [minutes, hours, dayOfMonth, month, dayOfWeek] = schedule.split(/\s+/);
  if (month !== '*') return 366 * day;
  if (dayOfMonth !== '*') return 31 * day;
  if (dayOfWeek !== '*') return 7 * day;
  if (hours !== '*') return day;
  return minutes === '*' ? minute : hour;
}

/** A job and when it last began, in milliseconds since 1970; null if it never did. */
export interface LastRun {
  job: string;
  startedAt: number | null;
}

/** Judges when each job last began. Two periods are waited for, and a quarter of an hour for a worker that starts anew. */
export function judgeRuns(all: readonly Pick<Job, 'name' | 'schedule'>[], runs: readonly LastRun[], now: number): Finding[] {
  const late = all.flatMap((job) => {
    const startedAt = runs.find((run) => run.job === job.name)?.startedAt ?? null;
    if (startedAt !== null && now - startedAt < 2 * periodOf(job) + 15 * minute) return [];
    return [`${job.name} (${startedAt === null ? 'never' : `since ${new Date(startedAt).toISOString()}`})`];
  });
  if (late.length === 0) return [];
  return [{ problem: `Jobs have not run when they should: ${late.join(', ')}.`, remedy: 'Keep a worker running: infirmary work' }];
}

/** Finds jobs that ought to have run. */
export async function lookForOverdueJobs({ monitor }: Look): Promise<Finding[]> {
  const { rows } = await monitor.query<LastRun>(`
    select r.job, extract(epoch from r.last_started_at)::float8 * 1000 as "startedAt"
    from ops.last_job_runs() as r`);
  const { rows: clock } = await monitor.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  );
  return judgeRuns(jobs, rows, clock[0]!.now);
}

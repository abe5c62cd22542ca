import { describe, UsageError } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { onShutdown } from '../shutdown.ts';
import { say } from '../terminal.ts';
import { openDatabase, type Seeding } from './database.ts';
import { describeEnvironment } from './environment.ts';
import { measure } from './measure.ts';
import type { Report } from './report.ts';
import type { Suite } from './suite.ts';
import { analytics } from './suites/analytics.ts';
import { api } from './suites/api.ts';
import { backup } from './suites/backup.ts';
import { lookup } from './suites/lookup.ts';
import { pooling } from './suites/pooling.ts';
import { scheduling } from './suites/scheduling.ts';
import { security } from './suites/security.ts';
import { standby } from './suites/standby.ts';

export { benchSettings, databaseName } from './database.ts';

/** Every suite, in the order in which they run. */
export const suites: readonly Suite[] = [lookup, api, scheduling, security, analytics, backup, standby, pooling];

export interface BenchOptions {
  /** Only these suites; else all whose programs are installed. */
  names?: readonly string[];
  /** Appointments in the database. */
  size: number;
  rounds?: number;
  requests?: number;
  /** False only where figures do not matter. */
  durable?: boolean;
  seed?: Seeding;
}

/**
 * Runs one suite, or all of them, on the bench's own cluster.
 * @throws UsageError for a name that no suite has, Failure where a program that it needs is not installed
 */
export async function bench(settings: Settings, options: BenchOptions): Promise<Report> {
  const { size, rounds = 7, requests = 1000 } = options;
  const chosen = choose(options.names);
  const database = await openDatabase(settings, size, options);
  const release = onShutdown(() => database.release());
  try {
    const report: Report = { environment: await describeEnvironment(database), suites: [] };
    for (const suite of chosen) {
      const results: Report['suites'][number]['results'] = [];
      await suite.run({
        database,
        rounds,
        requests,
        measure: async (comparison) => {
          const result = await measure(comparison, say);
          results.push(result);
          return result;
        },
      });
      report.suites.push({ name: suite.name, about: suite.about, results });
    }
    return report;
  } finally {
    await release();
  }
}

function choose(names: readonly string[] | undefined): readonly Suite[] {
  if (!names) return suites.filter(isPossible);
  return names.map((name) => {
    const suite = suites.find((each) => each.name === name);
    if (!suite) throw new UsageError(`There is no suite "${name}".`, `Suites: ${suites.map((each) => each.name).join(', ')}`);
    suite.require?.();
    return suite;
  });
}

function isPossible(suite: Suite): boolean {
  try {
    suite.require?.();
    return true;
  } catch (error) {
    say(`${suite.name} is left out. ${describe(error)}`);
    return false;
  }
}

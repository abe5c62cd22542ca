import type { BenchDatabase } from './database.ts';
import type { Comparison, Result } from './comparison.ts';

/** What a suite works with. */
export interface Bench {
  database: BenchDatabase;
  /** Measures one comparison, and keeps its result. */
  measure(comparison: Comparison): Promise<Result>;
  /** Rounds of each comparison, unless the suite has a reason for others. */
  rounds: number;
  /** Requests in one round of one contender, where requests are counted. */
  requests: number;
}

/** A named set of comparisons; one file of tools/bench/suites. */
export interface Suite {
  name: string;
  /** What it compares, in one sentence. */
  about: string;
  /** Before anything is seeded: throws a Failure where a program that it needs is not installed. */
  require?(): void;
  run(bench: Bench): Promise<void>;
}

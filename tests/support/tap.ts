import { Client, Query } from 'pg';
import { failureInFile } from '../../tools/migrate/sqlError.ts';
import type { TestDatabase } from './database.ts';

/** What a pgTAP file printed, and the error that ended it early. */
export interface TapOutput {
  lines: string[];
  died?: string;
}

/**
 * Runs a pgTAP file as the superuser with tap and tests on the search path, and collects its TAP lines
 * also when it dies half way.
 * @param file the name to give in an error
 */
export async function runTap(database: TestDatabase, script: string, file: string): Promise<TapOutput> {
  const client = new Client({ connectionString: database.url('postgres') });
  const output: TapOutput = { lines: [] };
  await client.connect();
  try {
    // pgTAP compares sets through temporary tables, also while a test plays a persona.
    await client.query(`grant temporary on database ${database.name} to public`);
    await client.query(`set search_path = tap, tests, pg_catalog; set timezone = 'UTC'`);
    await new Promise<void>((resolve) => {
      const query = new Query({ text: script, rowMode: 'array' } as never);
      query.on('row', (row: unknown) => {
        for (const value of row as unknown[]) {
          if (typeof value === 'string') output.lines.push(...value.split('\n').filter(isTap));
        }
      });
      query.on('error', (error: Error) => {
        output.died = failureInFile(error, file, script).message;
        resolve();
      });
      query.on('end', () => resolve());
      client.query(query);
    });
  } finally {
    await client.end();
  }
  return output;
}

function isTap(line: string): boolean {
  return /^(ok \d+|not ok \d+|1\.\.\d+|#|\s+#)/.test(line);
}

/** What is wrong with a file's output, empty when all is well. A file that tests nothing has failed. */
export function judge({ lines, died }: TapOutput): string[] {
  const problems: string[] = [];
  lines.forEach((line, index) => {
    if (!line.startsWith('not ok') || /# (TODO|SKIP)\b/.test(line)) return;
    const end = lines.findIndex((later, at) => at > index && !/^\s*#/.test(later));
    problems.push(...lines.slice(index, end === -1 ? undefined : end));
  });
  if (died) problems.push(`died: ${died}`);
  const planned = lines.flatMap((line) => /^1\.\.(\d+)/.exec(line)?.[1] ?? []).map(Number);
  const run = lines.filter((line) => /^(not )?ok \d+/.test(line)).length;
  if (planned.length !== 1) problems.push(`says plan() or no_plan() ${planned.length} times, not once`);
  else if (planned[0] !== run) problems.push(`planned ${planned[0]} tests and ran ${run}`);
  if (run === 0) problems.push('tests nothing');
  return problems;
}

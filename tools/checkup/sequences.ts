import { findUses } from '../commands/sequences.ts';
import type { Finding, Look } from './check.ts';

/** Finds sequences whose next number is taken. It reads the rows, so it looks as the administrator. */
export async function lookForSequencesBehind({ administrator }: Look): Promise<Finding[]> {
  return (await findUses(administrator))
    .filter(({ isBehind }) => isBehind)
    .map(({ table, column, highest, next }) => ({
      problem: `${table}.${column} has ${highest} already, and would get ${next} next.`,
      remedy: 'infirmary sequences reset',
    }));
}

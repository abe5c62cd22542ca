import { verify } from './verify.ts';
import { recorded } from './run.ts';
import { readHistory } from './history.ts';

/** Where a database and the working tree stand. */
export interface MigrationStatus {
  applied: string[];
  pending: string[];
  /** What `migrate verify` says. */
  problems: string[];
}

/** Compares a database with the signed history. */
export async function status(root: string, ownerUrl: string): Promise<MigrationStatus> {
  const { migrations } = await readHistory(root);
  const had = new Set((await recorded(ownerUrl)).map((row) => row.hash));
  const files = (there: boolean): string[] =>
    migrations.filter((migration) => had.has(migration.hash) === there).map((migration) => migration.file);
  return { applied: files(true), pending: files(false), problems: (await verify(root)).problems };
}

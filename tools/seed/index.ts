import { withClient } from '../database.ts';
import { freshCodes, loadCodes } from './codes.ts';
import { CsvSink } from './csv-sink.ts';
import { DatabaseSink } from './database-sink.ts';
import { erase, requireEmpty } from './erase.ts';
import { generate } from './generate.ts';
import { createLogins } from './logins.ts';
import { suspendBookingRules } from './rules.ts';
import { sizesOf, type SeedOptions, type Sizes } from './sizes.ts';
import type { TableName } from './tables.ts';

export { small, type SeedOptions } from './sizes.ts';

/** What was written. */
export interface Summary {
  sizes: Sizes;
  /** Rows by table. */
  rows: Record<TableName, number>;
}

interface LoadOptions extends SeedOptions {
  /** Create the demonstration logins. Never in production: their password is public. By default true. */
  logins?: boolean;
  /** Empty the hospital first. */
  erase?: boolean;
  /** Told how many patients and appointments have been written since the last time. */
  advance?: (count: number) => void;
}

/**
 * Fills an empty hospital with believable data, in one transaction: all of it or none. Constraints, policies
 * and all triggers but one stay on; `ownerUrl` is hospital_owner's.
 * @throws Failure when the hospital has data (unless told to erase it) or the sizes do not go together.
 */
export async function seed(ownerUrl: string, options: LoadOptions = {}): Promise<Summary> {
  const sizes = sizesOf(options);
  return withClient(ownerUrl, async (client) => {
    await client.query('begin');
    // Absences are checked against appointments while there are none, and each appointment against them.
    await client.query('set constraints all immediate');
    if (options.erase) await erase(client);
    await requireEmpty(client);
    const codes = await loadCodes(client);
    const rules = await suspendBookingRules(client);
    const sink = new DatabaseSink(client);
    await sink.open();
    let isStaffed = false;
    for (const batch of generate(sizes, codes)) {
      await sink.write(batch);
      // The triggers on what follows plan by the sizes of these tables.
      if (!isStaffed) await sink.analyze();
      isStaffed = true;
      options.advance?.(batch.progress);
    }
    const rows = await sink.close();
    await rules.restore();
    if (options.logins ?? true) await createLogins(client);
    await client.query('commit');
    await sink.analyze();
    return { sizes, rows };
  });
}

/** Writes the same rows as CSV files, one per table, without a database. */
export async function writeCsv(
  folder: string,
  options: Omit<LoadOptions, 'logins' | 'erase'> = {},
): Promise<Summary> {
  const sizes = sizesOf(options);
  const sink = new CsvSink(folder);
  sink.open();
  for (const batch of generate(sizes, freshCodes())) {
    await sink.write(batch);
    options.advance?.(batch.progress);
  }
  return { sizes, rows: await sink.close() };
}

import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { entryColumns } from './chain.ts';
import { type Archive, readContent } from './month.ts';

/**
 * Loads an archive into a table of its own, where it can be read and not changed; returns its name. It is compared
 * with the seals of its month, and what is not what was sealed is not loaded.
 * @param client the database, as its owner
 */
export async function loadMonth(client: Client, archive: Archive): Promise<string> {
  const month = `${archive.manifest.month}-01`;
  await client.query('begin');
  try {
    const { rows } = await client.query<{ relation: string }>('select audit.make_retired_table($1) as relation', [month]);
    const { relation } = rows[0]!;
    const copy = `copy ${relation} (${entryColumns.join(', ')}) from stdin (format binary)`;
    await pipeline(readContent(archive, 'content'), client.query(copyFrom(copy)));
    await client.query('call audit.keep_loaded($1, $2)', [month, archive.digest]);
    await client.query('commit');
    return relation;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

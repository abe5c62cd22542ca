import { withClient } from '../database.ts';
import { failureInFile } from './sqlError.ts';
import type { Source } from './sources.ts';

/**
 * Runs files that are not signed yet, in one transaction and with the settings of .gmrc, one query per
 * file so that an error names its file. The living ones run twice: first in any order, their bodies
 * unchecked, then with everything there and checked. For development, scratch and test databases.
 * @param ownerUrl the database, as hospital_owner
 * @throws Failure that names file, line and column; then nothing was applied
 */
export async function applySources(ownerUrl: string, sources: readonly Source[]): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    const run = async (source: Source): Promise<void> => {
      await client.query(source.text).catch((error) => {
        throw failureInFile(error, source.path, source.text);
      });
    };
    await client.query(`select set_config('search_path', '', false)`);
    await client.query('begin');
    await client.query('set local check_function_bodies = off');
    for (const source of sources) await run(source);
    await client.query('set local check_function_bodies = on');
    for (const source of sources) {
      if (source.path.startsWith('sql/')) await run(source);
    }
    await client.query('commit');
  });
}

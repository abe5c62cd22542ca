import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { commit, reset } from 'graphile-migrate';
import { withClient } from '../database.ts';
import { Failure } from '../failure.ts';
import { applySources } from './apply.ts';
import type { Administered } from './database.ts';
import { type Report, withGraphile } from './graphile.ts';
import { headFile, headOf, readHistory } from './history.ts';
import { failureInBody } from './sqlError.ts';
import { asFile, bodyOf, readChange, stage, stagedFiles, unstage } from './stage.ts';

/** The databases that signing throws away and makes anew. Nothing else may be called so. */
export const scratchDatabases = { main: 'infirmary_scratch', shadow: 'infirmary_shadow' };

/** What was signed. */
export interface SignedMigration {
  file: string;
  handWritten: string[];
  sources: string[];
}

/**
 * Signs the hand-written files of migrations/current and the changed living files together, as the next
 * file of migrations/committed, after both scratch databases were built from nothing with it.
 * @param server a server whose roles have been applied
 * @param name the migration's name, lower case and dashes: it is the file's name and the message
 * @throws Failure with everything that keeps it from being signed; then nothing has been written
 */
export async function sign(
  root: string,
  server: Administered,
  name: string,
  report: Report = () => {},
): Promise<SignedMigration> {
  const change = await readChange(root);
  const problems = [...change.problems];
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    problems.push(
      `"${name}" is no name for a migration: use lower case, digits and dashes, as in core-tables`,
    );
  }
  if (problems.length > 0) {
    throw new Failure(`The migration cannot be signed:\n  - ${problems.join('\n  - ')}`);
  }
  if (change.current.length + change.changed.length === 0) {
    throw new Failure('There is nothing to sign: every living file equals its newest signed copy.');
  }
  const connections = {
    connectionString: server.url('hospital_owner', scratchDatabases.main),
    shadowConnectionString: server.url('hospital_owner', scratchDatabases.shadow),
    rootConnectionString: server.url('postgres', 'postgres'),
  };
  await stage(root, change);
  try {
    await withClient(connections.rootConnectionString, async (client) => {
      // The scratch databases are one pair for the server: who comes second waits.
      await client.query('select pg_advisory_lock(4677462439)');
      await withGraphile(root, connections, report, (settings) => reset(settings));
      // A rehearsal: it checks the bodies too, which graphile-migrate creates unchecked, in any order.
      await applySources(connections.connectionString, [...change.current, ...change.changed]);
      await withGraphile(root, connections, report, async (settings) => {
        await reset(settings);
        await commit(settings, name);
      });
    });
  } catch (error) {
    const files = [...change.current.map(asFile), ...stagedFiles(change.changed)];
    throw failureInBody(error, bodyOf(files), (part) => part.source ?? `migrations/current/${part.name}`);
  } finally {
    await unstage(root);
  }
  const { migrations } = await readHistory(root);
  const signed = path.join(root, 'migrations/committed', migrations.at(-1)!.file);
  // Read-only as a reminder, but readable by every account that may run the project.
  await chmod(signed, 0o444);
  await writeFile(path.join(path.dirname(signed), headFile), headOf(migrations));
  for (const file of change.current) await rm(path.join(root, file.path), { force: true });
  return {
    file: `migrations/committed/${path.basename(signed)}`,
    handWritten: change.current.map((file) => file.path),
    sources: change.changed.map((source) => source.path),
  };
}

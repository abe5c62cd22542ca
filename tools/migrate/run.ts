import { setTimeout as sleep } from 'node:timers/promises';
import { migrate as graphileMigrate } from 'graphile-migrate';
import type { Client } from 'pg';
import { withClient } from '../database.ts';
import { codeOf, Failure, messageOf } from '../failure.ts';
import { projectFolder } from '../settings.ts';
import { type Report, withGraphile } from './graphile.ts';
import { readHistory, type History } from './history.ts';
import { failureInBody } from './sqlError.ts';

/** The migrations that a call of `migrate` applied, by file name. */
export interface Applied {
  applied: string[];
  /** Whether another deployer held the lock and this one waited. */
  waited: boolean;
}

/** A row of graphile_migrate.migrations. */
export interface Recorded {
  filename: string;
  hash: string;
}

const hour = 60 * 60 * 1000;

/**
 * Applies the signed migrations that the database does not have yet, each in its own transaction.
 * @param ownerUrl the database, as hospital_owner: any other owner would escape its own row security
 * @param report told what happens; a second deployer at once says here that it waits
 * @throws Failure when the history on disk is damaged, or is not the one that the database has had
 */
export async function migrate(
  ownerUrl: string,
  report: Report = () => {},
  root: string = projectFolder,
): Promise<Applied> {
  const history = await readHistory(root);
  if (history.problems.length > 0) {
    throw new Failure(`The signed migrations are not whole:\n  - ${history.problems.join('\n  - ')}`);
  }
  refuseOtherHistory(history, await recorded(ownerUrl));
  const applied: string[] = [];
  const note = (line: string): void => {
    const file = /^Running migration '(.+)'$/.exec(line)?.[1];
    if (file) applied.push(file);
    report(line);
  };
  const deadline = Date.now() + hour;
  let waited = false;
  for (;;) {
    try {
      await withGraphile(root, { connectionString: ownerUrl }, note, (settings) =>
        graphileMigrate(settings),
      );
      return { applied, waited };
    } catch (error) {
      if (messageOf(error) !== 'Failed to get exclusive lock' || Date.now() > deadline) {
        throw await explain(error, ownerUrl, history);
      }
      if (!waited) report('Another deployer is migrating this database: waiting for it to finish.');
      waited = true;
      await sleep(250);
    }
  }
}

/** The migrations that the database has had, oldest first; none in an empty one. */
export async function recorded(ownerUrl: string): Promise<Recorded[]> {
  return withClient(ownerUrl, async (client) => {
    await refuseOtherOwner(client);
    const { rows } = await client.query<{ there: boolean }>(
      `select to_regclass('graphile_migrate.migrations') is not null as there`,
    );
    if (!rows[0]?.there) return [];
    const found = await client.query<Recorded>(
      'select filename, hash from graphile_migrate.migrations order by filename',
    );
    return found.rows;
  });
}

async function refuseOtherOwner(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string; superuser: boolean; owns: boolean }>(
    `select current_user as name, role.rolsuper as superuser, database.datdba = role.oid as owns
     from pg_database as database, pg_roles as role
     where database.datname = current_database() and role.rolname = current_user`,
  );
  const { name, superuser, owns } = rows[0]!;
  if (name === 'hospital_owner' && !superuser && owns) return;
  throw new Failure(
    name !== 'hospital_owner' || superuser
      ? `Migrations run as hospital_owner without superuser, not as "${name}": objects of another owner escape the policies.`
      : 'hospital_owner does not own this database, so it may not create extensions in it.',
    'Run `infirmary roles apply`, let hospital_owner own the database, and connect as hospital_owner.',
  );
}

/** graphile-migrate looks at the newest file name only, and would call a rewritten history up to date. */
function refuseOtherHistory(history: History, had: readonly Recorded[]): void {
  had.forEach((row, index) => {
    const ours = history.migrations[index];
    if (ours?.hash === row.hash) return;
    throw new Failure(
      `The database was migrated with another ${row.filename} than ${ours ? `the signed ${ours.file}` : 'any that is signed here'}.`,
      'Deploy a version that contains it. A development database may start afresh: `infirmary db reset --erase`.',
    );
  });
}

/** Says in which file of which migration the error is. The failed one was rolled back as a whole. */
async function explain(error: unknown, ownerUrl: string, history: History): Promise<unknown> {
  const migration = history.migrations[(await recorded(ownerUrl)).length];
  if (!migration) return error;
  const failure = failureInBody(
    error,
    migration.body,
    (part) => `${part.source ?? part.name} in migrations/committed/${migration.file}:`,
  );
  // db:watch has been here: what it applied unsigned is now in the way of its signed form.
  if (codeOf(error)?.startsWith('42') && (await holdsUnsigned(ownerUrl))) {
    const remedy =
      'This development database holds unsigned changes. Begin anew: infirmary db reset --erase';
    return new Failure(messageOf(failure), remedy, { cause: error });
  }
  return failure;
}

function holdsUnsigned(ownerUrl: string): Promise<boolean> {
  return withClient(ownerUrl, async (client) => {
    const { rowCount } = await client.query('select from graphile_migrate.current');
    return rowCount !== 0;
  });
}

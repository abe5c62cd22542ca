import type { Command } from 'commander';
import { provideAuditKey } from '../cluster/audit-key.ts';
import { provideStatementStatistics } from '../cluster/statement-statistics.ts';
import { acquireServer, passwordsOf, type Server } from '../cluster/server.ts';
import { Failure, UsageError } from '../failure.ts';
import { prepareDatabase } from '../migrate/database.ts';
import { applyRoles } from '../migrate/roles.ts';
import { type Applied, migrate } from '../migrate/run.ts';
import { sign, type SignedMigration } from '../migrate/sign.ts';
import { readChange, stage } from '../migrate/stage.ts';
import { type MigrationStatus, status } from '../migrate/status.ts';
import { unsign } from '../migrate/unsign.ts';
import { verify } from '../migrate/verify.ts';
import { watch } from '../migrate/watch.ts';
import { projectFolder, readSettings, type Settings } from '../settings.ts';
import { print, say } from '../terminal.ts';

type Json = { json?: boolean };

export function register(program: Command): void {
  const command = program
    .command('migrate')
    .description('apply the signed migrations; or stage, sign and verify changes')
    .option('--json', '{"applied": […], "waited": false}')
    .action(async ({ json }: Json) => tell(json, await work(readSettings()), describeApplied));
  command
    .command('stage')
    .description('copy the living files that are not signed yet into migrations/current')
    .action(async () => (await stageChange()).forEach((file) => print(file)));
  command
    .command('sign')
    .description('sign migrations/current and the changed living files as the next migration')
    .argument('<name>', 'its name, lower case and dashes: core-tables')
    .action(async (name: string) => say(describeSigned(await signChange(readSettings(), name))));
  command
    .command('verify')
    .description(
      'check, without a database, that the signed history is whole and says what sql/ and policies/ say',
    )
    .option('--json', '{"migrations": 1, "sources": 90, "problems": […]}')
    .action(async ({ json }: Json) => {
      const found = await verify(projectFolder);
      if (json) print(JSON.stringify(found));
      if (found.problems.length > 0)
        throw new Failure(`The migrations do not hold:\n  - ${found.problems.join('\n  - ')}`);
      say(
        `${found.migrations} signed migrations hold; ${found.sources} living files equal their signed copies.`,
      );
    });
  command
    .command('status')
    .description('say which migrations the database has had and what is not signed')
    .option('--json', '{"applied": […], "pending": […], "problems": […]}')
    .action(async ({ json }: Json) => tell(json, await readStatus(readSettings()), describeStatus));
  command
    .command('unsign')
    .description(
      'take the newest signed migration back to migrations/current; only if nobody has deployed it',
    )
    .option('--erase', 'yes, erase its signed file')
    .action(async ({ erase }: { erase?: boolean }) => {
      if (!erase)
        throw new UsageError(
          'This erases a signed migration.',
          'If nobody has deployed it: infirmary migrate unsign --erase',
        );
      const { file, restored } = await unsign(projectFolder);
      say([`Took ${file} back:`, ...restored].join('\n  '));
    });
  command
    .command('watch')
    .description('apply every change of sql/, policies/ and migrations/current to the development database')
    .action(() => watchChanges(readSettings()));
}

/** Applies the signed migrations and the worker's own; on a server that is ours to manage, creates the database first. */
export async function work(settings: Settings): Promise<Applied> {
  return withServer(settings, async (server) => {
    if (server.managesRoles) {
      await prepareDatabase(server, settings.database);
      await provideAuditKey(server, settings.database);
      await provideStatementStatistics(server, settings.database);
    }
    const ownerUrl = server.url('hospital_owner');
    const applied = await migrate(ownerUrl, say);
    const { installWorker } = await import('../worker/install.ts');
    await installWorker(ownerUrl, server.url('hospital_worker'));
    return applied;
  });
}

/** Writes the staged copies and returns their names. */
export async function stageChange(root = projectFolder): Promise<string[]> {
  const change = await readChange(root);
  if (change.problems.length > 0)
    throw new Failure(`This cannot be staged:\n  - ${change.problems.join('\n  - ')}`);
  return stage(root, change);
}

/** Signs what is not signed yet, on this installation's server. */
export async function signChange(
  settings: Settings,
  name: string,
  root = projectFolder,
): Promise<SignedMigration> {
  return withServer(settings, async (server) => {
    if (server.managesRoles) await applyRoles(server.url('postgres'), passwordsOf(server));
    return sign(root, server, name);
  });
}

/** Compares the database with the signed history. */
export async function readStatus(settings: Settings): Promise<MigrationStatus> {
  return withServer(settings, (server) => status(projectFolder, server.url('hospital_owner')));
}

async function watchChanges(settings: Settings): Promise<void> {
  if (settings.environment === 'production') {
    throw new Failure(
      'Unsigned changes are for development databases.',
      'In production: infirmary migrate',
    );
  }
  await withServer(settings, async (server) => {
    await work(settings);
    await watch(projectFolder, server.url('hospital_owner'), say);
  });
}

async function withServer<Result>(
  settings: Settings,
  use: (server: Server) => Promise<Result>,
): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await use(server);
  } finally {
    await server.release();
  }
}

function tell<Answer>(json: boolean | undefined, answer: Answer, words: (answer: Answer) => string): void {
  if (json) print(JSON.stringify(answer));
  else say(words(answer));
}

function describeApplied({ applied }: Applied): string {
  return applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`;
}

function describeSigned({ file, handWritten, sources }: SignedMigration): string {
  return `Signed ${file}: ${handWritten.length} hand-written files and ${sources.length} living ones.`;
}

function describeStatus({ applied, pending, problems }: MigrationStatus): string {
  const lines = [`applied: ${applied.length}`, ...pending.map((file) => `pending: ${file}`)];
  return [...lines, ...problems.map((problem) => `not signed: ${problem}`)].join('\n');
}

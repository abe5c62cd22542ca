import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { statusOf } from '../cluster/embedded.ts';
import { acquireServer } from '../cluster/server.ts';
import { describe, Failure, messageOf, UsageError } from '../failure.ts';
import { keepDrill, recordBackup, recordDrill, recordRemoved, recordVerified } from '../backup/catalogue.ts';
import { createBackup } from '../backup/create.ts';
import { drill, type Drill } from '../backup/drill.ts';
import { type Dump, dumpDatabase, loadDump } from '../backup/dump.ts';
import { planPrune, prune as pruneRepository, type Pruned, type Retention } from '../backup/prune.ts';
import { findBackup, listBackups, type Manifest, openRepository } from '../backup/repository.ts';
import { showBytes } from '../backup/progress.ts';
import { chooseBackup } from '../backup/restore.ts';
import { type Asked, type Outcome, restore } from '../backup/restore-command.ts';
import { type Finding, verifyBackup } from '../backup/verify.ts';
import { dropSlot, isReceiving, keepReceiving, receiveLog } from '../backup/receive.ts';
import { storeLog, verifyLog } from '../backup/wal-archive.ts';
import type { Target } from '../backup/wal-server.ts';
import { readSettings, type Settings } from '../settings.ts';
import { onShutdown, stopOnSignals } from '../shutdown.ts';
import { drawTable, print, say, showProgress } from '../terminal.ts';

type Json = { json?: boolean };
type Receive = { once?: boolean; giveUp?: boolean; nightly?: boolean; check?: boolean };

export function register(program: Command): void {
  const backup = program.command('backup').description('copies of the whole cluster, and its log, in a repository');
  backup
    .command('create')
    .description('copy the running server into the repository (BACKUP_REPOSITORY, else backups/repository)')
    .option('--json', 'the manifest, as one JSON object')
    .action(async ({ json }: Json) => {
      const made = await create(readSettings());
      if (json) print(JSON.stringify(made));
      else say(`Backup ${made.name}: ${megabytes(made, 'bytes')} MB, stored in ${megabytes(made, 'storedBytes')} MB.`);
    });
  backup
    .command('list')
    .description('the backups in the repository')
    .option('--json', 'their manifests')
    .action(async ({ json }: Json) => {
      const { backups, damaged } = await listBackups(openRepository(readSettings().backup));
      if (json) return print(JSON.stringify({ backups, damaged }));
      print(
        drawTable(
          ['name', 'finished', 'PostgreSQL', 'MB', 'stored MB', 'encrypted'],
          backups.map((each) => [
            each.name,
            each.finishedAt,
            each.serverVersion,
            megabytes(each, 'bytes'),
            megabytes(each, 'storedBytes'),
            each.key === null ? 'no' : 'yes',
          ]),
        ),
      );
      for (const { problem } of damaged) say(problem);
    });
  backup
    .command('verify')
    .argument('[name]', 'one backup only, instead of all and the log')
    .description('read everything to the last byte, and compare it with what was written')
    .option('--json', '[{"file", "problem"}, …]')
    .action(async (name: string | undefined, { json }: Json) => {
      const findings = await verify(readSettings(), name);
      if (json) print(JSON.stringify(findings));
      else if (findings.length > 0) print(drawTable(['file', 'problem'], findings.map(({ file, problem }) => [file, problem])));
      if (findings.length === 0) return say('Everything is as it was written.');
      throw new Failure(
        `${findings.length} ${findings.length === 1 ? 'thing is' : 'things are'} not as written, the first: ${findings[0]!.file} ${findings[0]!.problem}.`,
        'Make a new backup now: infirmary backup create. Then find out what the disk does.',
      );
    });
  backup
    .command('receive')
    .description('receive the log all the time, until stopped: then any moment can be restored')
    .option('--once', 'only what is there now')
    .option('--give-up', 'no longer: the server need not keep its log for us')
    .option('--nightly', 'and make a backup at the start, if there is none of this night, and then every night')
    .option('--check', 'only say whether this machine receives it, for a health check')
    .action(async ({ once, giveUp, nightly, check }: Receive) => {
      if (giveUp) return say(await stopReceiving(readSettings()));
      if (check) return requireReceiver(readSettings());
      if (once) return say(await receiveOnce(readSettings()));
      stopOnSignals((error) => say(describe(error)), 0);
      await receive(readSettings());
      say('Receiving the log.');
      if (nightly) await (await import('../backup/nightly.ts')).backUpEveryNight(readSettings());
      // Until a signal stops everything and exits.
      await new Promise(() => {});
    });
  backup
    .command('archive-wal')
    .argument('<path>', '%p')
    .description("for PostgreSQL's archive_command, where the log is not received: store one segment")
    .action(async (file: string) => {
      const repository = openRepository(readSettings().backup);
      await storeLog(repository, path.basename(file), await readFile(file));
    });
  backup
    .command('dump')
    .description('the database as statements, which another version can load; no substitute for a backup')
    .requiredOption('--out <file>', 'where to')
    .option('--sql', 'as plain SQL, by the pg_dump that npm brings, for: infirmary backup load')
    .action(async ({ out, sql }: { out: string; sql?: boolean }) => {
      const { file, format, by } = await dump(readSettings(), out, sql ?? false);
      say(`${file} is a dump by ${by}. Load it with: ${format === 'plain' ? 'infirmary backup load' : 'pg_restore'}`);
    });
  backup
    .command('load')
    .argument('<file>', 'a dump of plain SQL')
    .description('load a dump into an empty database of the server, as its administrator')
    .requiredOption('--database <name>', 'the empty database')
    .action(async (file: string, { database }: { database: string }) => {
      await load(readSettings(), file, database);
      say(`${file} is loaded into "${database}".`);
    });
  backup
    .command('restore')
    .description('a backup and the log since, into a data directory; nothing is replaced before it has worked')
    .option('--latest', 'all there is (the default)')
    .option('--name <backup>', 'this backup and the log since')
    .option('--to-time <time>', 'as it was at that time, with its zone: 2026-11-24T21:00:00Z')
    .option('--as-of-backup', 'no further than the end of the backup')
    .option('--into <folder>', 'the data directory to be; by default that of the private cluster')
    .option('--erase', 'replace what is there; it is set aside, not deleted')
    .option('--json', 'the outcome, as one JSON object')
    .action(async ({ json, ...options }: RestoreOptions & Json) => {
      const outcome = await restore(readSettings(), readAsked(options));
      if (json) print(JSON.stringify(outcome));
      else tell(outcome);
    });
  backup
    .command('prune')
    .description('show what no rule of retention keeps; with --erase, remove it')
    .option('--daily <days>', 'keep the last backup of so many days (BACKUP_KEEP, else 7)', Number)
    .option('--weekly <weeks>', 'and of so many weeks (4)', Number)
    .option('--monthly <months>', 'and of so many months (6)', Number)
    .option('--erase', 'yes, remove them')
    .option('--json', '{"backups": […], "segments": […]}')
    .action(async ({ erase = false, json, ...asked }: Partial<Retention> & Json & { erase?: boolean }) => {
      const settings = readSettings();
      const pruned = await prune(settings, { ...settings.backup.keep, ...asked }, erase);
      if (json) return print(JSON.stringify(pruned));
      for (const name of pruned.backups) say(`${erase ? 'Removed' : 'Would remove'} ${name}.`);
      say(`${erase ? 'Removed' : 'Would remove'} ${pruned.backups.length} backups and ${pruned.segments.length} segments of the log.`);
    });
  backup
    .command('drill')
    .description('restore into a scratch cluster, look whether everything is there and works, and time it')
    .option('--name <backup>', 'this backup instead of the newest')
    .option('--latest', 'and replay the log since: the recovery point is then measured, the rows not compared')
    .option('--to-time <time>', 'likewise, up to that time')
    .option('--scratch <folder>', 'where the scratch cluster may be, and be removed; by default beside the private one')
    .option('--json', 'the drill, as one JSON object')
    .action(async ({ json, ...options }: DrillOptions & Json) => {
      const found = await practise(readSettings(), options);
      if (json) print(JSON.stringify(found));
      else tellDrill(found);
      if (found.passed) return;
      const failed = found.checks.filter(({ passed }) => passed === false).map(({ name }) => name);
      throw new Failure(`The backup ${found.backup} does not hold: ${failed.join(', ')}.`, 'Make a new one, and drill that.');
    });
}

interface DrillOptions {
  latest?: boolean;
  name?: string;
  toTime?: string;
  scratch?: string;
}

interface RestoreOptions {
  latest?: boolean;
  name?: string;
  toTime?: string;
  asOfBackup?: boolean;
  into?: string;
  erase?: boolean;
}

function readAsked({ latest, name, toTime, asOfBackup, into, erase }: RestoreOptions): Asked {
  if ([latest, toTime, asOfBackup].filter(Boolean).length > 1) {
    throw new UsageError('--latest, --to-time and --as-of-backup exclude one another.');
  }
  const target: Target = toTime === undefined ? (asOfBackup ? 'backup' : 'latest') : readTime(toTime);
  return { name, target, into, erase: erase ?? false };
}

/** A time without a zone would be another one on another machine. */
function readTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime()) && /(Z|[+-]\d\d(:?\d\d)?)$/.test(text)) return time;
  throw new UsageError(`"${text}" is no time with a zone.`, 'Such as 2026-11-24T21:00:00Z or 2026-11-24T21:00:00+01:00');
}

function tell({ backup, into, lastSegment, aside, erasures, seconds, next }: Outcome): void {
  say(`Restored ${backup} into ${into} in ${seconds.toFixed(1)} s${lastSegment ? `, with the log up to ${lastSegment}` : ''}.`);
  say(`Erasures: ${erasures}.`);
  if (aside) say(`What was there is now ${aside}: delete it when all is well.`);
  for (const line of next) say(line);
}

function tellDrill({ backup, restoreSeconds, recoveryPoint, startedAt, checks }: Drill): void {
  const states = checks.map(({ name, passed, found, seconds }) => [
    name,
    passed === null ? 'not done' : passed ? 'holds' : 'FAILS',
    seconds.toFixed(2),
    found,
  ]);
  print(drawTable(['check', 'state', 'seconds', 'found'], states));
  say(`Restored ${backup}, from nothing to a server that takes writes, in ${restoreSeconds.toFixed(1)} s.`);
  if (!recoveryPoint) return;
  const age = (new Date(startedAt).getTime() - new Date(recoveryPoint).getTime()) / 1000;
  say(`The last commit in it is of ${recoveryPoint}, ${age.toFixed(1)} s before the drill.`);
}

function megabytes({ archives }: Manifest, which: 'bytes' | 'storedBytes'): string {
  return (archives.reduce((sum, archive) => sum + archive[which], 0) / 1e6).toFixed(1);
}

/** Makes a backup of the server the settings name. */
export async function create(settings: Settings): Promise<Manifest> {
  const repository = openRepository(settings.backup);
  const server = await acquireServer(settings);
  const progress = showProgress('Backing up, in percent', 100);
  let percent = 0;
  try {
    const manifest = await createBackup(server, settings.database, repository, (bytes, total) => {
      const now = Math.min(100, Math.floor((100 * bytes) / Math.max(total, 1)));
      if (now > percent) progress.advance(now - percent);
      percent = Math.max(percent, now);
    });
    await recordBackup(server.url('hospital_backup'), manifest);
    return manifest;
  } finally {
    progress.end();
    await server.release();
  }
}

/** Receives the log of the server until `onShutdown`; when the server is lost it comes back with it. */
export async function receive(settings: Settings): Promise<void> {
  const repository = openRepository(settings.backup);
  const server = await acquireServer(settings);
  onShutdown(() => server.release());
  const receiving = await keepReceiving(server.url('hospital_backup'), repository, say);
  onShutdown(() => receiving.stop());
}

/** Receives what the server's log holds by now. Returns what to tell. */
export async function receiveOnce(settings: Settings): Promise<string> {
  const repository = openRepository(settings.backup);
  const server = await acquireServer(settings);
  try {
    const receiving = await receiveLog(server.url('hospital_backup'), repository, say);
    try {
      await Promise.race([receiving.caughtUp, receiving.ended]);
    } finally {
      await receiving.stop();
    }
  } finally {
    await server.release();
  }
  return 'The repository has the whole log.';
}

/** @throws Failure when this machine does not receive the log */
async function requireReceiver(settings: Settings): Promise<void> {
  const server = await acquireServer(settings);
  try {
    if (await isReceiving(server.url('hospital_backup'))) return say('This machine receives the log.');
    throw new Failure('This machine does not receive the log.', 'Start it: infirmary backup receive');
  } finally {
    await server.release();
  }
}

/** Lets the server forget that its log was being received. Returns what to tell. */
export async function stopReceiving(settings: Settings): Promise<string> {
  const server = await acquireServer(settings);
  try {
    const dropped = await dropSlot(server.url('hospital_backup'));
    return dropped ? 'The server no longer keeps its log for the repository.' : 'The log was not being received.';
  } finally {
    await server.release();
  }
}

/** Dumps the hospital's database into a file. */
export async function dump(settings: Settings, file: string, asSql: boolean): Promise<Dump> {
  const server = await acquireServer(settings);
  try {
    return await dumpDatabase(server, settings.database, path.resolve(file), { binDir: settings.pgBinDir, asSql });
  } finally {
    await server.release();
  }
}

/** Loads a dump into an empty database of the server. */
export async function load(settings: Settings, file: string, database: string): Promise<void> {
  const server = await acquireServer(settings);
  try {
    await loadDump(server, database, path.resolve(file));
  } finally {
    await server.release();
  }
}

/** Removes what no rule keeps, or tells what it would remove. */
export async function prune(settings: Settings, retention: Retention, erase: boolean): Promise<Pruned> {
  const repository = openRepository(settings.backup);
  if (!erase) return planPrune(repository, retention);
  const pruned = await pruneRepository(repository, retention);
  await withBackupUrl(settings, async (url) => {
    for (const name of pruned.backups) await recordRemoved(url, name);
  });
  return pruned;
}

/** Restores into a scratch cluster and looks at it; what was found is recorded, also when it is bad. */
export async function practise(settings: Settings, { name, latest, toTime, scratch }: DrillOptions): Promise<Drill> {
  const repository = openRepository(settings.backup);
  const target: Target = toTime === undefined ? (latest ? 'latest' : 'backup') : readTime(toTime);
  const folder = path.resolve(scratch ?? settings.home, `drill-${process.pid}`);
  const { archives } = await chooseBackup(repository, { name, target });
  const progress = showBytes('Restoring', archives.reduce((sum, { bytes }) => sum + bytes, 0));
  let found: Drill;
  try {
    found = await drill(settings, repository, { name, target, scratch: folder, onProgress: progress.advance });
  } finally {
    progress.end();
  }
  await keepDrill(repository, found);
  await withBackupUrl(settings, (url) => recordDrill(url, found));
  return found;
}

/** For what the database is only told of: it may be gone, and is not created for this. */
async function withBackupUrl(settings: Settings, work: (url: string) => Promise<void>): Promise<void> {
  if (!settings.databaseUrl && !settings.backupUrl && !statusOf(settings).created) return;
  try {
    const server = await acquireServer(settings);
    await work(server.url('hospital_backup')).finally(() => server.release());
  } catch (error) {
    say(`The repository knows it, the database could not be told: ${messageOf(error)}`);
  }
}

/** Reads one backup, or all of them and the log, and tells what is not as it was written. */
export async function verify(settings: Settings, name?: string): Promise<Finding[]> {
  const repository = openRepository(settings.backup);
  const { backups, damaged } =
    name === undefined ? await listBackups(repository) : { backups: [await findBackup(repository, name)], damaged: [] };
  const findings = damaged.map((each) => ({ file: `backups/${each.name}/manifest.json`, problem: each.problem }));
  const total = backups.flatMap(({ archives }) => archives).reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = showBytes('Verifying', total);
  const verified: [name: string, problems: number][] = [];
  try {
    for (const backup of backups) {
      const found = await verifyBackup(repository, backup, progress.advance);
      verified.push([backup.name, found.length]);
      findings.push(...found);
    }
    if (name === undefined) findings.push(...(await verifyLog(repository, backups)));
  } finally {
    progress.end();
  }
  await withBackupUrl(settings, async (url) => {
    for (const [each, problems] of verified) await recordVerified(url, each, problems);
  });
  return findings;
}

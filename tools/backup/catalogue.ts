import { appendFile } from 'node:fs/promises';
import { statusOf } from '../cluster/embedded.ts';
import { acquireServer } from '../cluster/server.ts';
import { withClient } from '../database.ts';
import { codeOf, messageOf } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { say } from '../terminal.ts';
import type { Drill } from './drill.ts';
import type { Manifest, Repository } from './repository.ts';

/*
 * The list of backups in the database (ops.backups) is a copy of what the repository says. A database that is gone,
 * or older than its tables, keeps nobody from making or restoring a backup.
 */

/** Does what the database is only told of: it may be gone, and is not created for this. */
export async function withBackupUrl(settings: Settings, work: (url: string) => Promise<void>): Promise<void> {
  if (!settings.databaseUrl && !settings.backupUrl && !statusOf(settings).created) return;
  try {
    const server = await acquireServer(settings);
    await work(server.url('hospital_backup')).finally(() => server.release());
  } catch (error) {
    say(`The repository knows it, the database could not be told: ${messageOf(error)}`);
  }
}

/** Lists a backup in the database it is of. */
export function recordBackup(url: string, manifest: Manifest): Promise<void> {
  const { name, startedAt, finishedAt, serverVersion, timeline, startLsn, endLsn, archives } = manifest;
  const sum = (which: 'bytes' | 'storedBytes'): number => archives.reduce((all, archive) => all + archive[which], 0);
  const row = {
    name,
    started_at: startedAt,
    finished_at: finishedAt,
    server_version: serverVersion,
    timeline,
    start_lsn: startLsn,
    end_lsn: endLsn,
    bytes: sum('bytes'),
    stored_bytes: sum('storedBytes'),
    is_encrypted: manifest.key !== null,
  };
  return call(url, 'select ops.record_backup($1)', [JSON.stringify(row)]);
}

/** Notes that a backup was read to its end. */
export function recordVerified(url: string, name: string, problems: number): Promise<void> {
  return call(url, 'select ops.record_backup_verified($1, $2)', [name, problems]);
}

/** Notes that a backup was removed. */
export function recordRemoved(url: string, name: string): Promise<void> {
  return call(url, 'select ops.record_backup_removed($1)', [name]);
}

/** Keeps what a drill found in the repository. */
export function keepDrill({ drills }: Repository, drill: Drill): Promise<void> {
  return appendFile(drills, `${JSON.stringify(drill)}\n`, { mode: 0o600, flush: true });
}

/** Lists a drill in the database. */
export function recordDrill(url: string, drill: Drill): Promise<void> {
  const row = {
    backup: drill.backup,
    started_at: drill.startedAt,
    finished_at: drill.finishedAt,
    restore_seconds: drill.restoreSeconds,
    recovery_point: drill.recoveryPoint,
    passed: drill.passed,
    checks: drill.checks,
  };
  return call(url, 'select ops.record_backup_drill($1)', [JSON.stringify(row)]);
}

async function call(url: string, sql: string, values: unknown[]): Promise<void> {
  try {
    await withClient(url, (client) => client.query(sql, values));
  } catch (error) {
    const code = codeOf(error);
    // 42883, 3F000: a database from before these functions.
    const why = code === '42883' || code === '3F000' ? 'it is not migrated' : messageOf(error);
    say(`The repository knows it, the database could not be told: ${why}.`);
  }
}

import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Account, giveTo, spawnAs } from '../cluster/account.ts';
import type { Binaries } from '../cluster/binaries.ts';
import { freePort } from '../cluster/cluster.ts';
import { configure, measureMachine } from '../cluster/configuration.ts';
import { codeOf, Failure } from '../failure.ts';
import { onShutdown } from '../shutdown.ts';
import type { Target, WalServer } from './wal-server.ts';

/** A server on a restored data directory, for this machine alone. */
export interface RecoveredServer {
  port: number;
  /** Stops it in order: what it wrote is kept. */
  stop(): Promise<void>;
}

/** How a data directory is recovered. */
export interface Recovery {
  data: string;
  binaries: Binaries;
  account: Account;
  log: WalServer;
  target: Target;
  /** False for a drill, whose server is thrown away. */
  durable: boolean;
  auditKey: string | undefined;
}

/**
 * Starts a server on a restored data directory and returns when it has recovered and takes writes. Its settings
 * lie elsewhere, and on the command line where `alter system` would win over a file, so that nothing of them stays.
 * @throws Failure when the target is not reached, with the server's last words
 */
export async function recover(recovery: Recovery): Promise<RecoveredServer> {
  const { data, account, binaries, log } = recovery;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-recovery-'));
  chmodSync(folder, 0o700);
  const port = await freePort(0);
  const serverLog = path.join(folder, 'log');
  writeFileSync(path.join(folder, 'log-address.json'), JSON.stringify(log.address), { mode: 0o600 });
  writeFileSync(path.join(folder, 'pg_hba.conf'), 'host all all 127.0.0.1/32 scram-sha-256\n', { mode: 0o600 });
  writeFileSync(path.join(folder, 'pg_ident.conf'), '', { mode: 0o600 });
  writeFileSync(path.join(folder, 'postgresql.conf'), configurationFor(recovery, port), { mode: 0o600 });
  writeFileSync(path.join(data, 'recovery.signal'), '', { mode: 0o600 });
  const output = openSync(serverLog, 'w', 0o600);
  giveTo(account, folder);
  giveTo(account, data);
  const given = Object.entries(settingsFor(recovery, folder, port)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawnAs(account, binaries.postgres, ['-D', data, ...given], output);
  closeSync(output);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const stop = onShutdown(
    async () => {
      child.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
    () => void child.kill('SIGQUIT'),
  );
  try {
    while (child.exitCode === null && child.signalCode === null) {
      if (await isOpen(port)) return { port, stop };
      await sleep(50);
    }
    throw notRecovered(readFileSync(serverLog, 'utf8'), log);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What fits the machine, and the key of the audit, which a command line would show to everybody. */
function configurationFor({ binaries, durable, auditKey }: Recovery, port: number): string {
  const own = configure({ port, durable, preload: binaries.preload, ...measureMachine() });
  return auditKey === undefined ? own : `${own}infirmary.audit_key = '${auditKey}'\n`;
}

function settingsFor({ target }: Recovery, folder: string, port: number): Record<string, string> {
  const fetch = path.join(import.meta.dirname, 'fetch-wal.mjs');
  const command = [process.execPath, fetch, path.join(folder, 'log-address.json'), '%f', '%p'];
  return {
    config_file: `${folder}/postgresql.conf`,
    hba_file: `${folder}/pg_hba.conf`,
    ident_file: `${folder}/pg_ident.conf`,
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ssl: 'off',
    logging_collector: 'off',
    archive_mode: 'off',
    primary_conninfo: '',
    synchronous_standby_names: '',
    // Nobody may look before the target is reached, so no setting need be as large as on the server copied.
    hot_standby: 'off',
    restore_command: command.map((part) => `"${part}"`).join(' '),
    recovery_target_action: 'promote',
    ...(target === 'backup' && { recovery_target: 'immediate' }),
    ...(target instanceof Date && { recovery_target_time: target.toISOString().replace('T', ' ').replace('Z', '+00') }),
  };
}

/** While it recovers the server refuses everybody; later it asks for a password, which need not be ours. */
async function isOpen(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'hospital_backup', database: 'postgres', password: '-' });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    return codeOf(error) === '28P01';
  } finally {
    await client.end().catch(() => {});
  }
}

function notRecovered(serverLog: string, log: WalServer): Failure {
  const problem = log.problem();
  if (problem) {
    return new Failure(
      `The log in the repository is damaged, and recovery stopped there. ${problem}.`,
      'Restore to a time before it (--to-time), or the backup alone (--as-of-backup).',
    );
  }
  if (serverLog.includes('recovery ended before configured recovery target was reached')) {
    return new Failure(
      `The log ends before that time; the last segment in the repository is ${log.last() ?? "the backup's own"}.`,
      'Restore to an earlier time, or all there is: --latest',
    );
  }
  return new Failure(`The restored server did not recover:\n${serverLog.trimEnd().split('\n').slice(-8).join('\n')}`);
}

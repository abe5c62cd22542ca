import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import { type Account, chooseAccount, giveTo, runAs } from './account.ts';
import type { Binaries } from './binaries.ts';
import { configure, measureMachine } from './configuration.ts';
import { type Home, readIfPresent, writeWhole } from './home.ts';
import { answersToUs, findPostmaster, removeStalePid } from './postmaster.ts';

const logLimit = 10 * 1024 * 1024;

/** @throws Failure when the data were made by another major version than the programs we have. */
export function checkVersion(home: Home, binaries: Binaries): void {
  const file = path.join(home.data, 'PG_VERSION');
  const version = existsSync(file) ? Number(readFileSync(file, 'utf8')) : binaries.version;
  if (version === binaries.version) return;
  throw new Failure(
    `The cluster in ${home.data} was made by PostgreSQL ${version}, and these programs are PostgreSQL ${binaries.version}.`,
    `Use programs of version ${version} (PG_BIN_DIR), or another cluster beside it (INFIRMARY_HOME=<folder>).`,
  );
}

/** Creates the cluster: whole or not at all, so that a killed initdb leaves nothing that looks like one. */
export async function createCluster(
  home: Home,
  binaries: Binaries,
  account: Account,
  password: string,
  durable: boolean,
): Promise<void> {
  const draft = `${home.data}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  giveTo(account, draft);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-'));
  const passwordFile = path.join(folder, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  giveTo(account, folder);
  try {
    // The builtin C.UTF-8 sorts alike on every machine, so indexes survive a move; 17 brought it.
    const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
    const builtin = binaries.version >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
    const { code, output } = await runAs(account, binaries.initdb, [
      ...['-D', draft, '-U', 'postgres', `--pwfile=${passwordFile}`, '-A', 'scram-sha-256'],
      ...[
        '-E',
        'UTF8',
        `--locale=${locale}`,
        ...builtin,
        '--data-checksums',
        ...(durable ? [] : ['--no-sync']),
      ],
    ]);
    if (code !== 0) throw new Failure(`initdb could not create the cluster:\n${output}`);
    renameSync(draft, home.data);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Starts the server on the port it had last, or on another free one, and waits until it answers. */
export async function startCluster(
  home: Home,
  binaries: Binaries,
  account: Account,
  password: string,
  durable: boolean,
  auditKeyFile: string,
): Promise<void> {
  removeStalePid(home);
  giveTo(account, home.data);
  giveTo(account, path.dirname(auditKeyFile));
  // A copy of the folder may have lost its mode, and the server insists on it.
  chmodSync(home.data, 0o700);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(Number(readIfPresent(home.port)) || 0);
    writeWhole(home.port, `${port}\n`);
    const configuration = path.join(home.data, 'postgresql.conf');
    writeFileSync(
      configuration,
      configure({ port, durable, preload: binaries.preload, auditKeyFile, ...measureMachine() }),
    );
    giveTo(account, configuration);
    const logged = prepareLog(home, account);
    const { code, output } = await runAs(account, binaries.pgCtl, [
      ...['-D', home.data, '-l', home.log, '-s', '-w', '-t', '600', 'start'],
    ]);
    if (code === 0 && (await answersToUs(home, password))) return;
    const log = readFileSync(home.log).subarray(logged).toString().trimEnd().split('\n').slice(-8).join('\n');
    // Somebody took the port just now; or children of a killed server have not noticed its end yet.
    const passing = /Address already in use|still in use|could not create any TCP/.test(log);
    if (!passing || attempt === 20) {
      throw new Failure(`PostgreSQL did not start:\n${output}\n${log}`, `Its log is ${home.log}.`);
    }
    await sleep(500);
  }
}

/** Stops the server: sessions are ended, nothing is lost. */
export async function stopCluster(home: Home, binaries: Binaries): Promise<void> {
  const postmaster = findPostmaster(home);
  if (!postmaster) return;
  if (process.platform === 'win32') {
    const account = chooseAccount(home.folder, home.data, binaries.initdb);
    await runAs(account, binaries.pgCtl, ['-D', home.data, '-s', '-m', 'fast', '-w', '-t', '600', 'stop']);
    return;
  }
  // Straight to the process: whoever it runs as, whoever may run it has the right to.
  process.kill(postmaster.pid, 'SIGINT');
  while (findPostmaster(home)?.pid === postmaster.pid) await sleep(20);
}

/** Ends the server this very moment. Committed work is safe: the next start recovers it. */
export function crashCluster(home: Home): void {
  const postmaster = findPostmaster(home);
  if (postmaster) process.kill(postmaster.pid, 'SIGQUIT');
}

/** The port wanted, when it is free on the loopback address, else any free one. */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: wanted, exclusive: true }, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : wanted);
      });
    });
  } catch (error) {
    if (wanted === 0) throw error;
    return freePort(0);
  } finally {
    server.close();
  }
}

/** The log is the server's own file, begun anew when it has grown large; the one before is kept. Returns its size. */
function prepareLog(home: Home, account: Account): number {
  if (existsSync(home.log) && statSync(home.log).size > logLimit) renameSync(home.log, `${home.log}.1`);
  closeSync(openSync(home.log, 'a', 0o600));
  giveTo(account, home.log);
  return statSync(home.log).size;
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Failure } from '../failure.ts';

/** As whom PostgreSQL's programs run: the server refuses to run as root. */
export interface Account {
  /** Who must own the server's files, when that is not whoever we are. */
  owner: { uid: number; gid: number } | undefined;
  /** Put before the command line. */
  prefix: string[];
  /** Whom the process itself becomes before it starts. */
  become: { uid: number; gid: number } | undefined;
}

const nobody = 65534;
const userNamespace = ['unshare', '-U', `--map-user=${nobody}`, `--map-group=${nobody}`];
const passesClosedFolders = [
  ...['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'],
  ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
  // Else access(2), with which initdb looks for its companions, would ignore the capability.
  '--securebits=+no_setuid_fixup',
];

/**
 * Chooses the account for a cluster in `folder` run by `program`.
 *
 * A plain user runs it as himself. Root lends it, in this order: the account that owns the data or the
 * folder, `postgres`, `nobody`. Where none of them may enter (a project in /root, mode 0700), a user
 * namespace in which the server sees itself as nobody while the kernel still sees root; where those are
 * forbidden (many containers), really nobody, with the one capability to pass closed folders.
 * @throws Failure when nothing of this works.
 */
export function chooseAccount(folder: string, data: string, program: string): Account {
  if (process.getuid?.() !== 0) {
    if (process.platform === 'win32' || hasName() || !works(userNamespace)) {
      return { owner: undefined, prefix: [], become: undefined };
    }
    // initdb wants a name for the user it runs as, and a bare number (docker run -u 1234) has none.
    return { owner: undefined, prefix: userNamespace, become: undefined };
  }
  for (const become of candidates([data, folder])) {
    const enters = (file: string): boolean =>
      spawnSync('test', ['-x', file], { ...become, cwd: '/', stdio: 'ignore' }).status === 0;
    if (enters(program) && enters(folder)) return { owner: become, prefix: [], become };
  }
  if (works(userNamespace)) return { owner: { uid: 0, gid: 0 }, prefix: userNamespace, become: undefined };
  if (works(passesClosedFolders)) {
    return { owner: { uid: nobody, gid: nobody }, prefix: passesClosedFolders, become: undefined };
  }
  throw new Failure(
    `PostgreSQL does not run as root, and no other account may enter ${folder}.`,
    'Run the command as a plain user, or set INFIRMARY_HOME to a folder, and keep the project in one, that others may enter.',
  );
}

function candidates(files: string[]): { uid: number; gid: number }[] {
  const owners = files.filter((file) => existsSync(file)).map((file) => statSync(file));
  const named = ['postgres', 'nobody'].flatMap((name) => {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout?.trim(),
    );
    return uid && gid ? [{ uid: Number(uid), gid: Number(gid) }] : [];
  });
  return [...owners.map(({ uid, gid }) => ({ uid, gid })).filter(({ uid }) => uid !== 0), ...named];
}

function hasName(): boolean {
  try {
    return os.userInfo().username !== '';
  } catch {
    return false;
  }
}

function works([command = '', ...args]: string[]): boolean {
  return spawnSync(command, [...args, 'true'], { stdio: 'ignore', cwd: '/' }).status === 0;
}

/** Gives a file or a whole folder to the account. */
export function giveTo(account: Account, file: string): void {
  if (!account.owner || !existsSync(file)) return;
  const { uid, gid } = account.owner;
  const status = lstatSync(file);
  // A link is left alone: chown would follow it out of the cluster.
  if (status.isSymbolicLink()) return;
  if (status.uid !== uid || status.gid !== gid) chownSync(file, uid, gid);
  if (status.isDirectory()) for (const name of readdirSync(file)) giveTo(account, path.join(file, name));
}

/**
 * Starts one of PostgreSQL's programs as the account. It gets a process group of its own, so that a Ctrl-C in
 * the terminal reaches us and not the server.
 */
export function spawnAs(account: Account, command: string, args: string[], output: 'pipe' | number): ChildProcess {
  const [program = command, ...rest] = [...account.prefix, command, ...args];
  return spawn(program, rest, {
    ...account.become,
    cwd: '/',
    detached: process.platform !== 'win32',
    env: cleanEnvironment(),
    stdio: ['ignore', output, output],
  });
}

/** Runs one of PostgreSQL's programs as the account and answers with its exit code and what it printed. */
export function runAs(
  account: Account,
  command: string,
  args: string[],
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawnAs(account, command, args, 'pipe');
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    // Not 'close': a server that was started may hold our pipes for as long as it runs.
    child.once('exit', (code) => {
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ code: code ?? 1, output: output.trim() });
    });
  });
}

/** Without the PG… variables, which would reach into a cluster that is ours alone. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}

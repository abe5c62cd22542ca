import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { codeOf, Failure } from '../failure.ts';

/** Where everything of one installation lies inside its home folder. */
export interface Home {
  folder: string;
  secrets: string;
  /** PostgreSQL's data directory. */
  data: string;
  log: string;
  /** The port the cluster had last, to have it again. */
  port: string;
  /** Present when `db start` asked the server to outlive the commands that use it. */
  kept: string;
  /** Present when a standby has taken the server's place: names its home folder. */
  replaced: string;
  /** One file per process that uses the server. */
  users: string;
  locks: string;
}

/**
 * The home folder, created when missing.
 * @throws Failure when it belongs to somebody else.
 */
export function openHome(folder: string): Home {
  const home: Home = {
    folder,
    secrets: path.join(folder, 'secrets.json'),
    data: path.join(folder, 'cluster'),
    log: path.join(folder, 'server.log'),
    port: path.join(folder, 'port'),
    kept: path.join(folder, 'kept'),
    replaced: path.join(folder, 'replaced'),
    users: path.join(folder, 'users'),
    locks: path.join(folder, 'locks'),
  };
  try {
    // Root's server runs as another account, which must pass through here to reach its data.
    const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
    for (const each of [folder, home.users, home.locks]) createFolder(each, mode);
    accessSync(home.users, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw notOurs(folder, error);
  }
  return home;
}

function createFolder(folder: string, mode: number): void {
  if (existsSync(folder)) return;
  createFolder(path.dirname(folder), 0o755);
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw error;
  }
  giveToOwnerOf(path.dirname(folder), folder);
}

/** When root makes something in another user's folder, that user must still be able to use it tomorrow. */
function giveToOwnerOf(folder: string, made: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  if (uid !== 0) chownSync(made, uid, gid);
}

/**
 * Writes a file of the home folder whole or not at all, readable by its owner only.
 * With `keepExisting`, a file that is there already stays; returns whether ours is the one there now.
 */
export function writeWhole(file: string, content: string, keepExisting = false): boolean {
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx' });
    giveToOwnerOf(path.dirname(file), draft);
    if (keepExisting) linkSync(draft, file);
    else renameSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw notOurs(path.dirname(file), error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The content of a file of the home folder, or undefined when there is none. */
export function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw notOurs(path.dirname(file), error);
  }
}

function notOurs(folder: string, error: unknown): unknown {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) return error;
  const elsewhere = path.join(os.homedir(), '.infirmary');
  return new Failure(
    `${folder} belongs to another user, or cannot be written: ${(error as Error).message}`,
    `Run the command as that user, or keep your own hospital elsewhere: INFIRMARY_HOME=${elsewhere}`,
    { cause: error },
  );
}

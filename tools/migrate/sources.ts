import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** One living file: the truth about one object of the database. */
export interface Source {
  /** Relative to the project, with forward slashes: `sql/02-identity/log_in.sql`. */
  path: string;
  text: string;
}

/**
 * The living files in the order in which they are deployed: the chapters of sql/, then policies/ with
 * the owner's first, because without it a forced row security hides every row from what follows.
 * sql/queries is a catalogue to read and is not deployed.
 * @param root the project's folder
 */
export async function readSources(root: string): Promise<Source[]> {
  const chapters = await sqlFilesIn(root, 'sql');
  const policies = await sqlFilesIn(root, 'policies');
  const isOwner = (file: string): number => (file === 'policies/owner.sql' ? 0 : 1);
  const files = [
    ...chapters.filter((file) => !file.startsWith('sql/queries/')).sort(),
    ...policies.sort((a, b) => isOwner(a) - isOwner(b) || (a < b ? -1 : 1)),
  ];
  return Promise.all(
    files.map(async (file) => ({ path: file, text: await readFile(path.join(root, file), 'utf8') })),
  );
}

/** The hand-written files of migrations/current, in order; staged copies (5NN) are left out. */
export async function readCurrent(root: string): Promise<Source[]> {
  const files = (await sqlFilesIn(root, 'migrations/current')).filter((file) => !isStaged(file));
  const number = (file: string): number => Number.parseInt(path.basename(file), 10);
  files.sort((a, b) => number(a) - number(b));
  return Promise.all(
    files.map(async (file) => ({ path: file, text: await readFile(path.join(root, file), 'utf8') })),
  );
}

/** Whether a file name of migrations/current is a staged copy of a living file: 500 to 599, 5000 to 5999. */
export function isStaged(file: string): boolean {
  return /^5\d{2,3}-/.test(path.basename(file));
}

/**
 * Why graphile-migrate 1.4.1 would not deploy this text as it stands, one line per reason: it strips or
 * silently ignores every `--!` line, so an include would sign as nothing at all.
 */
export function problemsOfText(source: Source): string[] {
  const problems: string[] = [];
  if (source.text.includes('\r')) {
    problems.push(`${source.path} has CR line endings: save it with LF, its hash would differ elsewhere`);
  }
  const directive = /^--!.*$/m.exec(source.text)?.[0];
  if (directive) {
    problems.push(
      `${source.path} contains "${directive}", which graphile-migrate ignores: write the SQL itself`,
    );
  }
  if (source.text.trim() === '') {
    problems.push(`${source.path} is empty: write it, or delete it`);
  }
  return problems;
}

async function sqlFilesIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.endsWith('.sql') && !path.basename(entry).startsWith('.'))
    .map((entry) => `${folder}/${entry.split(path.sep).join('/')}`);
}

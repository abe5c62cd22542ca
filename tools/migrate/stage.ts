import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isSigned, readHistory, removedSources, type History } from './history.ts';
import { isStaged, problemsOfText, readCurrent, readSources, type Source } from './sources.ts';

/** What has not been signed yet. */
export interface Change {
  /** Hand-written files of migrations/current, in order. */
  current: Source[];
  /** Living files that differ from their newest signed copies, in order of deployment. */
  changed: Source[];
  /** Signed living files that are gone, without a `-- source removed:` line anywhere. */
  vanished: string[];
  history: History;
  /** What keeps the change from being signed. */
  problems: string[];
}

/** Compares the working tree with the signed history; writes nothing. */
export async function readChange(root: string): Promise<Change> {
  const [history, sources, current] = await Promise.all([
    readHistory(root),
    readSources(root),
    readCurrent(root),
  ]);
  const problems = [...history.problems, ...[...current, ...sources].flatMap(problemsOfText)];
  const existing = new Set(sources.map((source) => source.path));
  const removed = new Set(current.flatMap((file) => removedSources(file.text)));
  const vanished = [...history.signed]
    .filter(([file, last]) => 'text' in last && !existing.has(file) && !removed.has(file))
    .map(([file]) => file);
  for (const file of vanished) problems.push(remedyForVanished(file));
  return {
    current,
    changed: sources.filter((source) => !isSigned(source, history.signed)),
    vanished,
    history,
    problems,
  };
}

/** What to do about a signed living file that is gone. */
export function remedyForVanished(file: string): string {
  return (
    `${file} was signed and is gone: put it back, or write its drop into a file of migrations/current ` +
    `with the line "-- source removed: ${file}"`
  );
}

/** A file of migrations/current. */
export interface CurrentFile {
  name: string;
  text: string;
}

/** A hand-written source as a file of migrations/current. */
export function asFile(source: Source): CurrentFile {
  return { name: path.basename(source.path), text: source.text };
}

/** The body that graphile-migrate makes of the files of migrations/current. */
export function bodyOf(files: readonly CurrentFile[]): string {
  return files.map((file) => `--! split: ${file.name}\n${file.text.trim()}\n`).join('\n');
}

/** The staged copies of a change, as files of migrations/current. */
export function stagedFiles(changed: readonly Source[]): CurrentFile[] {
  if (changed.length === 0) return [];
  // 500 to 599, and where that is too few 5000 to 5999: graphile-migrate sorts by the number.
  const width = changed.length > 99 ? 3 : 2;
  const number = (index: number): string => `5${String(index).padStart(width, '0')}`;
  const prologue = {
    name: `${number(0)}-prologue.sql`,
    text:
      '-- The living files below may call one another in any order: bodies are checked when they run.\n' +
      'set local check_function_bodies = off;\n',
  };
  return [
    prologue,
    ...changed.map((source, index) => ({
      name: `${number(index + 1)}-${slugOf(source.path)}.sql`,
      text: `-- source: ${source.path}\n${source.text.trim()}\n`,
    })),
  ];
}

/** sql/02-identity/log_in.sql becomes 02-identity-log_in. */
function slugOf(file: string): string {
  return file
    .replace(/^sql\//, '')
    .replace(/\.sql$/, '')
    .replace(/[^-_a-zA-Z0-9]+/g, '-');
}

/** Removes the staged copies, and the blank file that graphile-migrate leaves behind. */
export async function unstage(root: string): Promise<void> {
  const folder = path.join(root, 'migrations/current');
  for (const name of await readdir(folder).catch(() => [])) {
    if (isStaged(name) || /^0*1-current\.sql$/.test(name)) await rm(path.join(folder, name));
  }
}

/** Writes the staged copies into migrations/current, in place of those that are there. */
export async function stage(root: string, change: Change): Promise<string[]> {
  const folder = path.join(root, 'migrations/current');
  await mkdir(folder, { recursive: true });
  await unstage(root);
  const files = stagedFiles(change.changed);
  for (const file of files) await writeFile(path.join(folder, file.name), file.text);
  return files.map((file) => `migrations/current/${file.name}`);
}

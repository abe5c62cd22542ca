import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Source } from './sources.ts';

/** A file of migrations/current as it was signed: hand-written, or a copy of a living file. */
export interface Part {
  /** Its name in migrations/current, `020-people.sql`. */
  name: string;
  /** The living file it is a copy of. */
  source?: string;
  text: string;
  /** The line of the migration's body at which `text` begins, from 1. */
  line: number;
}

/** One file of migrations/committed. */
export interface Migration {
  file: string;
  number: number;
  previous: string;
  hash: string;
  body: string;
  parts: Part[];
}

/** What the history says last about a living file. */
export type Signed = { text: string; file: string } | { removed: true; file: string; drops: boolean };

/** The signed history, and everything that is wrong with it. */
export interface History {
  migrations: Migration[];
  signed: Map<string, Signed>;
  problems: string[];
}

/** Beside the migrations: number and hash of the newest, or a missing newest file would go unnoticed. */
export const headFile = 'HEAD';

const restore = 'restore it with `git checkout -- migrations/committed`';

/**
 * Reads and checks migrations/committed without a database: each file byte for byte against its own
 * hash, the chain of hashes from file to file, and the head.
 * @param root the project's folder
 */
export async function readHistory(root: string): Promise<History> {
  const folder = path.join(root, 'migrations/committed');
  const names = await readdir(folder).catch(() => [] as string[]);
  const problems: string[] = [];
  const migrations: Migration[] = [];
  for (const file of names.filter((name) => !name.startsWith('.') && name !== headFile).sort()) {
    const migration = parseMigration(file, await readFile(path.join(folder, file), 'utf8'), problems);
    if (migration) migrations.push(migration);
  }
  let previous = '-';
  migrations.forEach((migration, index) => {
    if (migration.number !== index + 1) {
      problems.push(
        `migrations/committed: number ${index + 1} is missing before ${migration.file}: ${restore}`,
      );
    } else if (migration.previous !== previous) {
      problems.push(`${migration.file} does not follow on the file before it: ${restore}`);
    }
    previous = migration.hash;
  });
  const head = (await readFile(path.join(folder, headFile), 'utf8').catch(() => '')).trim();
  if (head !== headOf(migrations).trim()) {
    problems.push(
      `migrations/committed/${headFile} names another newest migration than the folder has: ${restore}`,
    );
  }
  return { migrations, signed: signedSources(migrations), problems };
}

/** The content of the head file. */
export function headOf(migrations: readonly Migration[]): string {
  const last = migrations.at(-1);
  return last ? `${last.file} ${last.hash}\n` : '';
}

/** graphile-migrate's hash of a migration, chained to the one before. */
export function hashOf(body: string, previous: string): string {
  const text = `${`${previous === '-' ? '' : previous}\n${body.trim()}`.trim()}\n`;
  return `sha1:${createHash('sha1').update(text).digest('hex')}`;
}

/** The paths in the `-- source removed: <path>` lines of a text. */
export function removedSources(text: string): string[] {
  return [...text.matchAll(/^-- source removed: (.+)$/gm)].map((match) => match[1]!.trim());
}

function parseMigration(file: string, text: string, problems: string[]): Migration | undefined {
  const name = /^(\d{6})(?:-([a-z0-9-]+))?\.sql$/.exec(file);
  const match = /^--! Previous: (\S+)\n--! Hash: (\S+)\n(?:--! Message: (\S+)\n)?\n([^]*)$/.exec(text);
  if (!name || !match) {
    problems.push(`migrations/committed/${file} is not a signed migration: ${restore}, or remove it`);
    return undefined;
  }
  const [, previous, hash, message, body] = match as unknown as [string, string, string, string?, string?];
  // The message is outside the hash, so it may only repeat the file's name.
  if (hashOf(body!, previous) !== hash || body!.trim() + '\n' !== body || message !== name[2]) {
    problems.push(`migrations/committed/${file} was changed after it was signed: ${restore}`);
  }
  const parts = splitBody(body!);
  for (const part of parts) {
    const include = /^--!\s*include.*$/m.exec(part.text)?.[0];
    if (include) problems.push(`${file} contains "${include}", which graphile-migrate ignores`);
  }
  return { file, number: Number(name[1]), previous, hash, body: body!, parts };
}

/** Takes a signed body apart again into the files of migrations/current. */
export function splitBody(body: string): Part[] {
  const parts: Part[] = [];
  let line = 1;
  for (const piece of body.split(/^(?=--! split: )/m)) {
    const match = /^--! split: (\S+)\n(?:-- source: (\S+)\n)?/.exec(piece);
    const header = match?.[0] ?? '';
    parts.push({
      name: match?.[1] ?? '001-current.sql',
      ...(match?.[2] && { source: match[2] }),
      text: `${piece.slice(header.length).trim()}\n`,
      line: line + header.split('\n').length - 1,
    });
    line += piece.split('\n').length - 1;
  }
  return parts;
}

function signedSources(migrations: readonly Migration[]): Map<string, Signed> {
  const signed = new Map<string, Signed>();
  for (const { file, parts } of migrations) {
    for (const part of parts) {
      if (part.source) signed.set(part.source, { text: part.text, file });
      else {
        for (const source of removedSources(part.text)) {
          signed.set(source, { removed: true, file, drops: /^\s*drop\s/im.test(part.text) });
        }
      }
    }
  }
  return signed;
}

/** Whether a living file is, word for word, what was signed last. */
export function isSigned(source: Source, signed: Map<string, Signed>): boolean {
  const last = signed.get(source.path);
  return last !== undefined && 'text' in last && last.text === `${source.text.trim()}\n`;
}

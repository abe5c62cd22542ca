import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/**
 * pgTAP as one SQL script, for any server: no extension has to be installed. It is taken from the npm
 * package that carries it for another PostgreSQL, as an archive of plain SQL.
 */
export async function pgtapScript(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite-pgtap');
  const archive = await readFile(path.join(path.dirname(entry), 'pgtap.tar.gz'));
  return fileInTar(await promisify(gunzip)(archive), 'share/postgresql/extension/pgtap.sql');
}

/** Reads one file out of an uncompressed tar: 512-byte headers, the size in octal at 124. */
function fileInTar(tar: Buffer, wanted: string): string {
  const text = (from: number, length: number): string =>
    tar.toString('latin1', from, from + length).replace(/\0.*$/s, '');
  for (let at = 0; at < tar.length && text(at, 100) !== '';) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const name = path.posix.join(text(at + 345, 155), text(at, 100));
    if (name === wanted) return tar.toString('utf8', at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`The pgTAP archive holds no ${wanted}.`);
}

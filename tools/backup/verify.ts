import { stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../failure.ts';
import { archivesOf, compare, type Expected, readArchive, readExpected } from './contents.ts';
import type { Manifest, Repository } from './repository.ts';
import type { Stored } from './stored.ts';
import { readTar } from './tar.ts';

/** What is not as it was written. */
export interface Finding {
  file: string;
  problem: string;
}

/** Reads a backup to its last byte and compares every file with both manifests. */
export async function verifyBackup(
  repository: Repository,
  backup: Manifest,
  onProgress: (bytes: number) => void = () => {},
): Promise<Finding[]> {
  const place = `backups/${backup.name}`;
  let expected: Map<string, Expected>;
  try {
    expected = await readExpected(repository, backup);
  } catch (error) {
    return [{ file: `${place}/backup_manifest`, problem: messageOf(error) }];
  }
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const { archive, folder } of archivesOf(backup)) {
    findings.push(...(await verifyArchive(repository, backup, archive, folder, expected, seen, onProgress)));
  }
  if (findings.length > 0) return findings;
  const missing = [...expected.keys()].filter((file) => !seen.has(file));
  return missing.map((file) => ({ file: `${place}: ${file}`, problem: 'is missing' }));
}

async function verifyArchive(
  repository: Repository,
  backup: Manifest,
  archive: Stored,
  folder: string,
  expected: Map<string, Expected>,
  seen: Set<string>,
  onProgress: (bytes: number) => void,
): Promise<Finding[]> {
  const stored = `backups/${backup.name}/${archive.file}`;
  const findings: Finding[] = [];
  let reached = 'its beginning';
  let hash: string | undefined;
  try {
    const content = readArchive(repository, backup, archive, (sha256) => (hash = sha256));
    for await (const entry of readTar(content)) {
      if (entry.type !== 'file') continue;
      const file = folder + entry.name;
      reached = file;
      seen.add(file);
      const tell = (problem: string): void => void findings.push({ file: `${stored}: ${file}`, problem });
      for await (const piece of compare(entry, expected.get(file), tell)) onProgress(piece.length);
    }
    // Also what no file lies in, such as padding, must be what was written.
    if (hash !== archive.sha256) findings.push({ file: stored, problem: 'is not what was written' });
  } catch (error) {
    findings.push({ file: `${stored}: ${reached}`, problem: `cannot be read: ${messageOf(error)}` });
  }
  return findings;
}

/** Looks only at the sizes of a backup's files: quick, for what is about to rely on them. */
export async function looksWhole(repository: Repository, backup: Manifest): Promise<boolean> {
  const sizes = await Promise.all(
    backup.archives.map(async ({ file, storedBytes }) => {
      const found = await stat(path.join(repository.backups, backup.name, file)).catch(() => undefined);
      return found?.size === storedBytes;
    }),
  );
  return sizes.every(Boolean);
}

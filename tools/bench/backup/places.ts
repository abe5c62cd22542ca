import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { readExpected } from '../../backup/contents.ts';
import { createBackup } from '../../backup/create.ts';
import { type Manifest, openRepository, type Repository } from '../../backup/repository.ts';
import { restoreInto } from '../../backup/restore.ts';
import { flushFolder } from '../../backup/stored.ts';
import { openHome } from '../../cluster/home.ts';
import { ask, withClient } from '../../database.ts';
import { type BenchDatabase, databaseName } from '../database.ts';

/** Where the bench backs its cluster up, and the file by which copies are compared. */
export interface Places {
  folder: string;
  data: string;
  repositories: { clear: Repository; sealed: Repository };
  /** The newest table of appointments, below the data directory: nobody writes to it meanwhile. */
  witness: string;
  /** The files of the first backup, which the file system copies too. */
  files: string[];
  backUp(repository: Repository): Promise<Manifest>;
  restore(repository: Repository, into: string): Promise<void>;
}

/** Opens two repositories, one with a key, and makes a first backup to know the files. */
export async function openPlaces(database: BenchDatabase, folder: string): Promise<Places> {
  const { settings } = database;
  const keyFile = path.join(folder, 'key');
  writeFileSync(keyFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  const repositoryAt = (name: string, key?: string): Repository =>
    openRepository({ ...settings.backup, repository: path.join(folder, name), ...(key && { keyFile: key }) });
  const repositories = { clear: repositoryAt('clear'), sealed: repositoryAt('sealed', keyFile) };
  const name = databaseName(database.appointments);
  const url = (role: Parameters<typeof database.url>[0], other = name): string => database.url(role, other);
  const backUp = (repository: Repository): Promise<Manifest> => createBackup({ embedded: true, url }, name, repository);
  const { rows } = await withClient(url('postgres'), (client) =>
    ask(client, `select pg_relation_filepath('hospital.appointments')`),
  );
  return {
    folder,
    data: openHome(settings.home).data,
    repositories,
    witness: String(rows[0]?.[0]),
    files: [...(await readExpected(repositories.clear, await backUp(repositories.clear))).keys()],
    backUp,
    restore: async (repository, into) => {
      const { server } = await restoreInto(settings, repository, { target: 'backup', into, tablespaces: `${into}.tablespaces`, durable: true });
      await server.stop();
    },
  };
}

/** Copies files as `cp` does, and flushes each, as a backup does that is to outlast a loss of power. Returns the bytes. */
export async function copyFiles(files: string[], from: string, to: string): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    const [source, target] = [path.join(from, file), path.join(to, file)];
    // What a server removes or renames meanwhile.
    if (!existsSync(source)) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(source, target);
    const handle = await open(target, 'r+');
    await handle.sync();
    bytes += (await handle.stat()).size;
    await handle.close();
  }
  await flushFolder(to);
  return bytes;
}

/** A digest of a file. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

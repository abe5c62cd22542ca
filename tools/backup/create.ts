import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { onShutdown } from '../shutdown.ts';
import { streamBaseBackup } from './base-backup.ts';
import { joinSnapshots, takeSnapshot } from './facts.ts';
import { alone, claim, finishBackup, type Manifest, nameOf, type Repository, sweepDrafts } from './repository.ts';
import { connectReplication } from './replication.ts';
import { fingerprint } from './seal.ts';
import { endingOf, store, type Stored } from './stored.ts';

/**
 * Copies the whole cluster of a server into the repository while it works on.
 * @param onProgress told of every piece: bytes so far and about how many there will be
 */
export function createBackup(
  server: Server,
  database: string,
  repository: Repository,
  onProgress: (bytes: number, total: number) => void = () => {},
): Promise<Manifest> {
  const url = server.url('hospital_backup', database);
  return alone(repository, async () => {
    // What the server would refuse, it refuses before anything is written.
    await (await connectReplication(url)).end();
    await sweepDrafts(repository);
    const cluster = await identify(url);
    claim(repository, cluster.systemIdentifier);
    const name = await newName(repository);
    const draft = path.join(repository.backups, `.${name}`);
    await mkdir(draft, { mode: 0o700 });
    // A backup that is interrupted leaves nothing; what a killed one leaves, the next one sweeps.
    const discard = onShutdown(() => rm(draft, { recursive: true, force: true }));
    try {
      const before = await takeSnapshot(url);
      const archives: Promise<Stored>[] = [];
      const copied = await streamBaseBackup(url, {
        label: `infirmary ${name}`,
        onProgress,
        receive: (archive) => {
          const file = archive + endingOf(repository.key);
          const receiver = store(path.join(draft, file), nameOf({ name }, file), repository.key);
          archives.push(receiver.done);
          return receiver;
        },
      });
      const after = await takeSnapshot(url);
      const manifest: Manifest = {
        format: 1,
        name,
        // By the server's clock, as the times in its log are.
        startedAt: before.at,
        finishedAt: after.at,
        ...cluster,
        embedded: server.embedded,
        database,
        ...copied,
        archives: await Promise.all(archives),
        key: repository.key ? fingerprint(repository.key) : null,
        facts: joinSnapshots(before, after),
      };
      await finishBackup(repository, draft, manifest);
      return manifest;
    } finally {
      await discard();
    }
  });
}

type Identity = Pick<Manifest, 'systemIdentifier' | 'serverVersion' | 'version' | 'segmentSize'>;

async function identify(url: string): Promise<Identity> {
  const { rows } = await withClient(url, (client) =>
    ask(
      client,
      `select
         (select system_identifier from pg_control_system()),
         current_setting('server_version'),
         current_setting('server_version_num')::integer / 10000,
         (select setting::integer from pg_settings where name = 'wal_segment_size')`,
    ),
  );
  const [systemIdentifier, serverVersion, version, segmentSize] = rows[0]!;
  return {
    systemIdentifier: String(systemIdentifier),
    serverVersion: String(serverVersion),
    version: Number(version),
    segmentSize: Number(segmentSize),
  };
}

/** The moment it begins, to the second, as a name that sorts. */
async function newName(repository: Repository): Promise<string> {
  for (;;) {
    const name = `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
    if (!existsSync(path.join(repository.backups, name))) return name;
    await sleep(100);
  }
}

import { rmSync } from 'node:fs';
import path from 'node:path';
import { readExpected } from '../../backup/contents.ts';
import type { Manifest, Repository } from '../../backup/repository.ts';
import { verifyBackup } from '../../backup/verify.ts';
import type { Contender, Figure, Sample } from '../comparison.ts';
import type { Bench } from '../suite.ts';
import { copyFiles, digestOf, type Places } from './places.ts';

const figures: readonly Figure[] = [
  { key: 'rate', title: 'content', clock: 'client', unit: 'MB/s' },
  { key: 'seconds', title: 'whole', clock: 'client', unit: 's' },
  { key: 'cpu', title: 'this process', clock: 'cpu', unit: 's' },
  { key: 'stored', title: 'on disk', clock: 'client', unit: 'MB' },
];

const plain = 'copied files';

/** What a way of copying did: how many bytes of content, and how many it wrote. */
interface Copied {
  bytes: number;
  stored: number;
}

/** A way of copying; `look` says, after it was done once, which bytes of the table of appointments it has. */
function contender(name: string, work: () => Promise<Copied>, look: () => Promise<string>): Contender {
  return {
    name,
    conditions: async () => {
      await work();
      return { rows: `appointments ${await look()}`, role: 'whole cluster', durability: 'flushed' };
    },
    sample: () => timed(work),
  };
}

async function timed(work: () => Promise<Copied>): Promise<Sample> {
  const [began, used] = [performance.now(), process.cpuUsage()];
  const { bytes, stored } = await work();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(used);
  return { seconds, rate: bytes / 1e6 / seconds, cpu: (user + system) / 1e6, stored: stored / 1e6 };
}

/** Whole backups, from the first question to the manifest on disk, against the same files. */
export async function compareBackup(bench: Bench, places: Places): Promise<void> {
  const { data, files, folder, witness, repositories } = places;
  const target = path.join(folder, 'copied');
  const ways = Object.entries({ 'backup': repositories.clear, 'backup, encrypted': repositories.sealed });
  await bench.measure({
    title: 'Backing up',
    figures,
    contenders: [
      contender(
        plain,
        async () => {
          rmSync(target, { recursive: true, force: true });
          const bytes = await copyFiles(files, data, target);
          return { bytes, stored: bytes };
        },
        () => digestOf(path.join(target, witness)),
      ),
      ...ways.map(([name, repository]) => {
        let made: Manifest;
        return contender(
          name,
          async () => sizeOf((made = await places.backUp(repository))),
          async () => String((await readExpected(repository, made)).get(witness)?.sha256),
        );
      }),
    ],
    ratios: ways.map(([name]) => ({ figure: 'rate', of: name, to: plain, aim: 0.25 })),
    rounds: roundsOf(bench),
    warmUp: 0,
  });
}

/** From the repository to a server that takes writes, and reading a backup to its end, against the same files. */
export async function compareRestore(bench: Bench, places: Places): Promise<void> {
  const { files, folder, witness, repositories } = places;
  const into = path.join(folder, 'restored');
  const clean = (): void => [into, `${into}.tablespaces`].forEach((each) => rmSync(each, { recursive: true, force: true }));
  const newest = new Map<Repository, Manifest>();
  for (const repository of Object.values(repositories)) newest.set(repository, await places.backUp(repository));
  const restored = (name: string, repository: Repository): Contender =>
    contender(
      name,
      async () => {
        clean();
        await places.restore(repository, into);
        return { ...sizeOf(newest.get(repository)!), stored: sizeOf(newest.get(repository)!).bytes };
      },
      () => digestOf(path.join(into, witness)),
    );
  const verified = (name: string, repository: Repository): Contender =>
    contender(
      name,
      async () => {
        const [finding] = await verifyBackup(repository, newest.get(repository)!);
        if (finding) throw new Error(`${finding.file} ${finding.problem}`);
        return { bytes: sizeOf(newest.get(repository)!).bytes, stored: 0 };
      },
      async () => String((await readExpected(repository, newest.get(repository)!)).get(witness)?.sha256),
    );
  const source = path.join(folder, 'copied');
  await bench.measure({
    title: 'Restoring, with a server that has recovered; and verifying',
    figures,
    contenders: [
      contender(
        plain,
        async () => {
          clean();
          const bytes = await copyFiles(files, source, into);
          return { bytes, stored: bytes };
        },
        () => digestOf(path.join(into, witness)),
      ),
      restored('restore', repositories.clear),
      restored('restore, encrypted', repositories.sealed),
      verified('verify', repositories.clear),
      verified('verify, encrypted', repositories.sealed),
    ],
    ratios: ['restore', 'restore, encrypted', 'verify', 'verify, encrypted'].map((of) => ({
      figure: 'rate',
      of,
      to: plain,
      ...(of.startsWith('restore') && { aim: 0.25 }),
    })),
    rounds: roundsOf(bench),
    warmUp: 0,
  });
}

/** Each has done the work once before it is measured. */
function roundsOf({ rounds }: Bench): number {
  return Math.ceil(rounds / 2);
}

function sizeOf({ archives }: Manifest): Copied {
  const sum = (which: 'bytes' | 'storedBytes'): number => archives.reduce((all, archive) => all + archive[which], 0);
  return { bytes: sum('bytes'), stored: sum('storedBytes') };
}

import path from 'node:path';
import type { Command } from 'commander';
import type { Client } from 'pg';
import { exportMonth } from '../archive/export.ts';
import { loadMonth } from '../archive/load.ts';
import { type Archive, openArchive, readMonth } from '../archive/month.ts';
import { type Verified, verifyArchive, verifyTogether } from '../archive/verify.ts';
import { readKey } from '../backup/repository.ts';
import type { Key } from '../backup/seal.ts';
import { acquireServer } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say } from '../terminal.ts';
import { type Finding, type Head, readHeads } from './audit.ts';

type Json = { json?: boolean };

export function register(program: Command): void {
  const command = program.command('archive').description('months that leave the audit, and can still be proved and read');
  command
    .command('list')
    .description('the months of the audit, where each is, and what was done with its archive')
    .option('--json', '[{"month", "state", "entries", "bytes", "exportedAt"}, …]')
    .action(async ({ json }: Json) => {
      const months = await list(readSettings());
      const cells = months.map(({ month, state, entries, bytes, exportedAt }) => [month, state, entries, (bytes / 1e6).toFixed(1), exportedAt]);
      print(json ? JSON.stringify(months) : drawTable(['month', 'state', 'entries', 'MB', 'exported'], cells));
    });
  command
    .command('retire')
    .argument('<month>', 'such as 2025-11')
    .description('detach a month from the audit, when all of the audit holds; it stays in the database')
    .action(async (month: string) => {
      const held = await retire(readSettings(), readMonth(month));
      say(`${month} is detached with ${held} entries. Now: infirmary archive export ${month} --out <folder>`);
    });
  command
    .command('export')
    .argument('<month>', 'a month that was retired')
    .description('write it into a folder, with its part of the chain, and read it back')
    .requiredOption('--out <folder>', 'where to; elsewhere than the database')
    .action(async (month: string, { out }: { out: string }) => {
      const { folder, manifest } = await write(readSettings(), readMonth(month), path.resolve(out));
      const stored = manifest.seals.storedBytes + manifest.content.storedBytes;
      say(`${folder} holds the ${manifest.entries} entries of ${month}, proved, in ${(stored / 1e6).toFixed(1)} MB.`);
      say(`It ends with block ${manifest.lastBlock}, ${manifest.head}.`);
    });
  command
    .command('verify')
    .argument('<folder...>', 'archives')
    .description('prove archives without a database: every byte, every entry, every link, and each other')
    .option('--heads <file>', 'and against heads that infirmary audit heads exported')
    .option('--database', 'and against the chain in the database')
    .option('--json', '[{"link", "problem"}, …]')
    .action(async (folders: string[], options: Json & { heads?: string; database?: boolean }) => {
      const findings = await verify(readSettings(), folders, options);
      if (options.json) print(JSON.stringify(findings));
      const [first] = findings;
      if (!first) return say(`${folders.length === 1 ? 'The archive holds' : `All ${folders.length} archives hold`}.`);
      throw new Failure(
        `The archive does not hold. The first bad link: ${first.link} ${first.problem}.`,
        `${findings.length} in all; --json lists them. Take the other copy.`,
      );
    });
  command
    .command('load')
    .argument('<folder>', 'an archive')
    .description('load it back into a table of schema archive, to be read and not changed')
    .action(async (folder: string) => say(`${await load(readSettings(), folder)} can be read. Away with it: infirmary archive drop ${folder} --erase`));
  command
    .command('drop')
    .argument('<folder>', 'an archive of the month')
    .description('drop the table of a retired month, when the archive holds every entry of it')
    .option('--erase', 'yes, drop it')
    .action(async (folder: string, { erase }: { erase?: boolean }) => {
      if (!erase) throw new UsageError('This drops a month from the database.', `If that is meant: infirmary archive drop ${folder} --erase`);
      say(`${await drop(readSettings(), folder)} is dropped; ${folder} is all there is of it now.`);
    });
}

/** A month of the audit and where it is. */
export interface Month {
  month: string;
  state: 'in the audit' | 'detached' | 'loaded' | 'archived';
  entries: number;
  bytes: number;
  exportedAt: string | null;
}

/** The months that the chain knows, oldest first. */
export async function list(settings: Settings): Promise<Month[]> {
  return asOwner(settings, async (client) => {
    const { rows } = await client.query<Month>(`
      with months as (
        select
          s.month,
          sum(cardinality(s.sequences))::integer as entries,
          audit.retired_table(s.month) as retired,
          to_regclass('audit.entries_' || to_char(s.month, 'YYYY_MM')) as attached,
          exists (select from audit.retired_months as r where r.month = s.month) as is_retired
        from audit.seals as s
        group by s.month
      )

      select
        to_char(m.month, 'YYYY-MM') as month,
        case
          when not m.is_retired then 'in the audit'
          when m.retired is null then 'archived'
          when latest.event = 'loaded' then 'loaded'
          else 'detached'
        end as state,
        m.entries,
        coalesce(pg_total_relation_size(coalesce(m.retired, m.attached)), 0)::float as bytes,
        (
          select to_json(max(e.happened_at)) #>> '{}'
          from audit.archive_events as e
          where e.month = m.month
            and e.event = 'exported'
        ) as "exportedAt"
      from months as m
      left join lateral (
        select e.event
        from audit.archive_events as e
        where e.month = m.month
          and e.event <> 'exported'
        order by e.id desc
        limit 1
      ) as latest on true
      order by m.month`);
    return rows;
  });
}

/** Detaches a month; returns how many entries it held. */
export async function retire(settings: Settings, month: string): Promise<string> {
  return asOwner(settings, async (client) => {
    const { rows } = await ask(client, 'select audit.retire_month($1)', [`${month}-01`]);
    return String(rows[0]![0]);
  });
}

/** Writes a retired month into a folder. */
export async function write(settings: Settings, month: string, out: string): Promise<Archive> {
  return asOwner(settings, (client) => exportMonth(client, month, out, keyOf(settings)));
}

/** What does not hold in archives. */
export async function verify(
  settings: Settings,
  folders: readonly string[],
  { heads, database }: { heads?: string; database?: boolean } = {},
): Promise<Finding[]> {
  const known = heads === undefined ? [] : await readHeads(heads);
  const verified: Verified[] = [];
  for (const folder of folders) verified.push(await verifyFolder(settings, folder));
  verified.sort((one, other) => one.archive.manifest.firstBlock - other.archive.manifest.firstBlock);
  const living = database ? await readChain(settings) : [];
  return [...verified.flatMap(({ findings }) => findings), ...verifyTogether(verified, [...known, ...living])];
}

/** Loads an archive that holds; returns the name of its table. */
export async function load(settings: Settings, folder: string): Promise<string> {
  const { archive } = await verifyWhole(settings, folder);
  return asOwner(settings, (client) => loadMonth(client, archive));
}

/** Drops the table of an archive's month; returns the month. */
export async function drop(settings: Settings, folder: string): Promise<string> {
  const { archive, blocks } = await verifyWhole(settings, folder);
  const { month } = archive.manifest;
  const heads = blocks.map(({ block, hash }) => ({ block, hash: hash.toString('hex') }));
  await asOwner(settings, (client) =>
    client.query('call audit.drop_retired($1, $2, $3)', [`${month}-01`, archive.digest, JSON.stringify(heads)]),
  );
  return month;
}

async function verifyWhole(settings: Settings, folder: string): Promise<Verified> {
  const verified = await verifyFolder(settings, folder);
  const [first] = verified.findings;
  if (!first) return verified;
  throw new Failure(`${folder} does not hold: ${first.link} ${first.problem}.`, 'Take the other copy; nothing was changed.');
}

async function verifyFolder(settings: Settings, folder: string): Promise<Verified> {
  return verifyArchive(await openArchive(path.resolve(folder), keyOf(settings)));
}

/** Every block of the living chain, as heads. */
function readChain(settings: Settings): Promise<Head[]> {
  return asOwner(settings, async (client) => {
    const { rows } = await client.query<Head>(
      `select s.block::integer, encode(s.hash, 'hex') as hash, to_json(s.sealed_at) as "sealedAt" from audit.seals as s`,
    );
    return rows;
  });
}

function keyOf(settings: Settings): Key | undefined {
  return settings.backup.keyFile ? readKey(settings.backup.keyFile) : undefined;
}

async function asOwner<Result>(settings: Settings, use: (client: Client) => Promise<Result>): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_owner'), use);
  } finally {
    await server.release();
  }
}

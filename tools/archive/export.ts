import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { fingerprint, type Key } from '../backup/seal.ts';
import { endingOf, flushFolder, store, type Stored } from '../backup/stored.ts';
import { Failure } from '../failure.ts';
import { blockColumns, entryColumns } from './chain.ts';
import { type Archive, folderName, type Manifest, nameOf, openArchive, writeManifest } from './month.ts';
import { verifyArchive } from './verify.ts';

/**
 * Writes a retired month into a new folder of `out`, reads it back to the last byte, and only then gives the folder
 * its name.
 * @param client the database, as its owner
 * @throws Failure when the month is not there, or the folder is
 */
export async function exportMonth(client: Client, month: string, out: string, key: Key | undefined): Promise<Archive> {
  const folder = path.join(out, folderName(month));
  if (existsSync(folder)) throw new Failure(`${folder} is there already.`, 'An archive is never written over: name another folder.');
  const draft = path.join(out, `.${folderName(month)}`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    await write(client, month, draft, key);
    const { findings } = await verifyArchive(await openArchive(draft, key));
    if (findings[0]) {
      throw new Failure(
        `The archive of ${month} is not what was sealed: ${findings[0].link} ${findings[0].problem}.`,
        'Nothing was dropped. Keep the database as it is, and run: infirmary audit verify',
      );
    }
    await flushFolder(draft);
    await rename(draft, folder);
    await flushFolder(out);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  const archive = await openArchive(folder, key);
  await client.query(`insert into audit.archive_events (month, event, manifest) values ($1, 'exported', $2)`, [
    `${month}-01`,
    archive.digest,
  ]);
  return archive;
}

async function write(client: Client, month: string, folder: string, key: Key | undefined): Promise<void> {
  await client.query('begin isolation level repeatable read read only');
  const first = `${month}-01`;
  const { rows } = await client.query<Pick<Manifest, 'firstBlock' | 'lastBlock' | 'previousHash' | 'head' | 'serverVersion'> & { relation: string }>(
    `select
       audit.retired_table($1)::text as relation,
       (select s.block::integer from audit.seals as s where s.month = $1 order by s.block limit 1) as "firstBlock",
       (select encode(s.previous_hash, 'hex') from audit.seals as s where s.month = $1 order by s.block limit 1) as "previousHash",
       (select s.block::integer from audit.seals as s where s.month = $1 order by s.block desc limit 1) as "lastBlock",
       (select encode(s.hash, 'hex') from audit.seals as s where s.month = $1 order by s.block desc limit 1) as head,
       current_setting('server_version') as "serverVersion"`,
    [first],
  );
  const { relation, ...described } = rows[0]!;
  if (relation === null || described.head === null) {
    throw new Failure(`No table of ${month} stands in schema archive.`, 'infirmary archive list shows what is where; retire it first: infirmary archive retire');
  }
  const { firstBlock, lastBlock } = described;
  const seals = await copy(
    client,
    `select ${blockColumns.join(', ')} from audit.seals where block between ${firstBlock} and ${lastBlock} order by block`,
    { folder, month, name: 'seals.copy', key },
  );
  const content = await copy(
    client,
    `select ${entryColumns.map((column) => `e.${column}`).join(', ')}
     from audit.seals as s
     cross join lateral unnest(s.sequences) with ordinality as u (sequence, position)
     join ${relation} as e on e.sequence = u.sequence
     where s.month = '${first}'
     order by s.block, u.position`,
    { folder, month, name: 'entries.copy', key },
  );
  const counted = await client.query<{ entries: number }>(`select count(*)::integer as entries from ${relation}`);
  await client.query('commit');
  const manifest: Manifest = {
    format: 1,
    month,
    entries: counted.rows[0]!.entries,
    ...described,
    writtenAt: new Date().toISOString(),
    key: key ? fingerprint(key) : null,
    seals,
    content,
  };
  await writeManifest(folder, manifest, key);
}

async function copy(
  client: Client,
  query: string,
  { folder, month, name, key }: { folder: string; month: string; name: string; key: Key | undefined },
): Promise<Stored> {
  const file = `${name}${endingOf(key)}`;
  const { to, done } = store(path.join(folder, file), nameOf(month, file), key);
  const [, stored] = await Promise.all([pipeline(client.query(copyTo(`copy (${query}) to stdout (format binary)`)), to), done]);
  return stored;
}

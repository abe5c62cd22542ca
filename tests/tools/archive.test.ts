import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Client } from 'pg';
import { readRows } from '../../tools/archive/copy-binary.ts';
import { openArchive } from '../../tools/archive/month.ts';
import { drop, list, load, retire, verify, write } from '../../tools/commands/archive.ts';
import { readHead, work as verifyAudit } from '../../tools/commands/audit.ts';
import { Failure } from '../../tools/failure.ts';
import { projectFolder, readSettings, type Settings } from '../../tools/settings.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/worker.ts';

/** Gives a hospital's entries a past: the first half is of October 2025, the rest of November; sealed so. */
async function age(client: Client): Promise<void> {
  await client.query(`
    begin;
    set local session_replication_role = replica;
    create temporary table kept on commit drop as select * from audit.entries;
    delete from audit.seals;
    delete from audit.entries;
    create table audit.entries_2025_10 partition of audit.entries
      for values from ('2025-10-01 00:00+00') to ('2025-11-01 00:00+00');
    create table audit.entries_2025_11 partition of audit.entries
      for values from ('2025-11-01 00:00+00') to ('2025-12-01 00:00+00');
    alter table audit.entries_2025_10 owner to hospital_owner;
    alter table audit.entries_2025_11 owner to hospital_owner;
    update kept set recorded_at = case
      when (transaction_id, sequence) < (
        select k.transaction_id, k.sequence from kept as k
        order by k.transaction_id, k.sequence offset (select count(*) / 2 from kept) limit 1
      ) then timestamptz '2025-10-24 12:00+00'
      else '2025-11-24 12:00+00'
    end;
    insert into audit.entries overriding system value select * from kept;
    commit`);
  await until(async () => {
    await client.query('select audit.seal_entries(20)');
    const { rows } = await client.query<{ isSealed: boolean }>(
      `select (select count(*) from audit.entries)
         = (select coalesce(sum(cardinality(s.sequences)), 0) from audit.seals as s) as "isSealed"`,
    );
    return rows[0]!.isSealed;
  });
}

describe('months that leave the audit', { concurrency: 1 }, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-archives-'));
  const [october, november] = [path.join(folder, 'audit-2025-10'), path.join(folder, 'audit-2025-11')];
  const heads = path.join(folder, 'heads.jsonl');
  let database: TestDatabase;
  let settings: Settings;
  let client: Client;
  let entries: number;

  before(async () => {
    database = await cloneDatabase();
    settings = readSettings({ DATABASE_URL: database.url('hospital_owner') });
    client = new Client({ connectionString: database.url('postgres') });
    await client.connect();
    await client.query('select tests.world()');
    // Something of Ann is sealed before the archive is made.
    await client.query(`update hospital.patients set given_name = 'Annabel' where id = tests.id_of('ann')`);
    await age(client);
    writeFileSync(heads, `${JSON.stringify(await readHead(settings))}\n`);
    entries = (await client.query<{ n: number }>('select count(*)::integer as n from audit.entries')).rows[0]!.n;
  });
  after(async () => {
    await client.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const problems = async (folders: string[], options: Parameters<typeof verify>[2] = {}): Promise<string> =>
    (await verify(settings, folders, options)).map(({ link, problem }) => `${link} ${problem}`).join('\n');
  const one = async (sql: string, values: unknown[] = []): Promise<unknown> =>
    (await client.query<unknown[]>({ text: sql, values, rowMode: 'array' })).rows[0]?.[0];

  test('are exported once they are retired, with their part of the chain', async () => {
    await assert.rejects(write(settings, '2025-10', folder), Failure);
    assert.ok(Number(await retire(settings, '2025-10')) > 20);
    await retire(settings, '2025-11');
    const archives = [await write(settings, '2025-10', folder), await write(settings, '2025-11', folder)];
    // Retiring has written rows down once more, in the month that is now.
    const written = archives.map(({ manifest }) => manifest.entries).reduce((sum, each) => sum + each);
    assert.equal(written, entries);
    assert.equal(await problems([november, october], { heads, database: true }), '');
    assert.deepEqual(
      (await list(settings)).filter(({ month }) => month < '2026').map(({ month, state }) => [month, state]),
      [['2025-10', 'detached'], ['2025-11', 'detached']],
    );
    const { entries: left, unsealed, findings } = await verifyAudit(settings);
    assert.deepEqual(findings, []);
    // What was sealed and left is not counted against what is here.
    assert.deepEqual([left > 0, unsealed], [true, left]);
  });

  test('are never written over', async () => {
    await assert.rejects(write(settings, '2025-10', folder), /is there already/);
  });

  test('stay as they were while they stand in the database, for the owner too', async () => {
    const owner = new Client({ connectionString: database.url('hospital_owner') });
    await owner.connect();
    try {
      for (const statement of [
        `update archive.entries_2025_10 set role = 'x'`,
        'delete from archive.entries_2025_10',
        'truncate archive.entries_2025_10',
        'insert into archive.entries_2025_10 select * from archive.entries_2025_10',
      ]) {
        await assert.rejects(owner.query(statement), { code: 'PERMA' }, statement);
      }
    } finally {
      await owner.end();
    }
  });

  test('leave no column without a class, which would stop every erasure', async () => {
    assert.equal(await one('select count(*)::integer from hospital_private.personal_columns where class is null'), 0);
  });

  /** What is found in a copy of an archive after its content, or its seals, were changed by somebody who mends the manifest. */
  const findAfter = async (
    change: { seals?: (bytes: Buffer) => Buffer; content?: (bytes: Buffer) => Buffer; manifest?: (manifest: any) => void },
    source = october,
    options: Parameters<typeof verify>[2] = {},
  ): Promise<string> => {
    const copy = path.join(mkdtempSync(path.join(folder, 'forged-')), path.basename(source));
    cpSync(source, copy, { recursive: true });
    const { checksum: _, ...manifest } = JSON.parse(readFileSync(path.join(copy, 'manifest.json'), 'utf8'));
    for (const part of ['seals', 'content'] as const) {
      const edit = change[part];
      if (!edit) continue;
      const file = path.join(copy, manifest[part].file);
      const stored = zstdCompressSync(edit(zstdDecompressSync(readFileSync(file))));
      writeFileSync(file, stored);
      manifest[part].sha256 = createHash('sha256').update(stored).digest('hex');
    }
    change.manifest?.(manifest);
    const checksum = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
    writeFileSync(path.join(copy, 'manifest.json'), `${JSON.stringify({ ...manifest, checksum }, null, 1)}\n`);
    return problems([copy], options);
  };
  const rowsIn = async (bytes: Buffer): Promise<{ at: number; length: number }[]> => {
    const rows: { at: number; length: number }[] = [];
    let at = 19;
    for await (const fields of readRows((async function* () { yield bytes; })())) {
      const length = 2 + fields.reduce((sum, field) => sum + 4 + (field?.length ?? 0), 0);
      rows.push({ at, length });
      at += length;
    }
    return rows;
  };
  const content = (source: string): Buffer => zstdDecompressSync(readFileSync(path.join(source, 'entries.copy.zst')));
  const without = async (bytes: Buffer, index: number): Promise<Buffer> => {
    const { at, length } = (await rowsIn(bytes))[index]!;
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
  };

  test('that nobody touched pass through the forger’s hands unharmed', async () => {
    assert.equal(await findAfter({ content: (bytes) => bytes, seals: (bytes) => bytes }), '');
  });

  test('say which file was damaged, wherever a byte is flipped', async () => {
    for (const file of readdirSync(october)) {
      const bytes = readFileSync(path.join(october, file));
      for (const place of [0, 0.3, 0.7, 1]) {
        const copy = path.join(mkdtempSync(path.join(folder, 'damaged-')), 'audit-2025-10');
        cpSync(october, copy, { recursive: true });
        const flipped = Buffer.from(bytes);
        flipped[Math.floor(place * (bytes.length - 1))]! ^= 0x20;
        writeFileSync(path.join(copy, file), flipped);
        // A space or the line's end may change in JSON without changing what it says.
        if (file === 'manifest.json' && JSON.stringify(tryParse(flipped)) === JSON.stringify(tryParse(bytes))) continue;
        const found = await problems([copy]).catch((error: Error) => error.message);
        assert.match(found, file === 'manifest.json' ? /manifest\.json|encrypted/ : /audit-2025-10|entry|block/, `${file} at ${place}`);
      }
    }
  });

  test('name the entry that was edited', async () => {
    const bytes = content(october);
    const { at, length } = (await rowsIn(bytes))[7]!;
    for (const offset of [6, Math.floor(length / 2), length - 1]) {
      const edited = Buffer.from(bytes);
      // Not the length of a field, which would make it no copy at all: that is found as such.
      edited[at + offset]! ^= 1;
      assert.notEqual(await findAfter({ content: () => edited }), '', `byte ${offset}`);
    }
    const edited = Buffer.from(bytes);
    edited[edited.indexOf('insert', at)]! ^= 0x20;
    assert.match(await findAfter({ content: () => edited }), /^entry \d+ was edited after it was sealed$/);
  });

  test('name the entry that was dropped, doubled or moved', async () => {
    const bytes = content(october);
    const rows = await rowsIn(bytes);
    for (const index of [0, 9, rows.length - 1]) {
      const fewer = await without(bytes, index);
      const less = { content: () => fewer, manifest: (manifest: any) => (manifest.entries -= 1) };
      assert.match(await findAfter(less), /^entry \d+ is missing$/, `row ${index}`);
    }
    const { at, length } = rows[9]!;
    const doubled = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    assert.match(await findAfter({ content: () => doubled }), /^entry \d+ is in no block at this place/);
    const second = rows[10]!;
    const swapped = Buffer.concat([
      bytes.subarray(0, at),
      bytes.subarray(second.at, second.at + second.length),
      bytes.subarray(at, at + length),
      bytes.subarray(second.at + second.length),
    ]);
    assert.match(await findAfter({ content: () => swapped }), /^entry \d+ is missing\nentry \d+ is in no block at this place$/);
  });

  test('name the block that was edited, cut off or taken out', async () => {
    const bytes = zstdDecompressSync(readFileSync(path.join(october, 'seals.copy.zst')));
    const rows = await rowsIn(bytes);
    assert.ok(rows.length > 2);
    const edited = Buffer.from(bytes);
    edited[rows[1]!.at + rows[1]!.length - 1]! ^= 1;
    assert.match(await findAfter({ seals: () => edited }), /^block \d+ does not fit its hash/);
    const gap = await without(bytes, 1);
    assert.match(await findAfter({ seals: () => gap }), /^block \d+ follows upon a gap/);
    const cut = await without(bytes, rows.length - 1);
    assert.match(await findAfter({ seals: () => cut }), /^block \d+ is what the archive should end with/);
  });

  test('that were exchanged for one another are found', async () => {
    const exchanged = path.join(mkdtempSync(path.join(folder, 'exchanged-')), 'audit-2025-10');
    cpSync(november, exchanged, { recursive: true });
    cpSync(path.join(october, 'manifest.json'), path.join(exchanged, 'manifest.json'));
    assert.notEqual(await problems([exchanged]), '');
    // The manifest says October, everything in it is November's.
    assert.match(await findAfter({ manifest: (manifest) => (manifest.month = '2025-10') }, november), /is in no block at this place/);
    const entriesOfOther = content(november);
    assert.match(await findAfter({ content: () => entriesOfOther }), /is in no block at this place/);
  });

  test('that were computed anew by somebody who knows how are found by a head, the database, or the month after', async (t) => {
    // The forger has the database's own functions, in a hospital of his own.
    const other = await cloneDatabase();
    const forger = new Client({ connectionString: other.url('postgres') });
    await forger.connect();
    t.after(() => forger.end());
    await forger.query('select tests.world()');
    await age(forger);
    const theirs = readSettings({ DATABASE_URL: other.url('hospital_owner') });
    const out = mkdtempSync(path.join(folder, 'theirs-'));
    for (const month of ['2025-10', '2025-11']) {
      await retire(theirs, month);
      await write(theirs, month, out);
    }
    const [first, second] = [path.join(out, 'audit-2025-10'), path.join(out, 'audit-2025-11')];
    assert.equal(await problems([first, second]), '');
    assert.match(await problems([first], { database: true }), /^block 1 is not what was exported as a head/);
    // Of the first block, which is in every archive of the first month.
    const exported = path.join(folder, 'first-head.jsonl');
    const hash = await one(`select encode(hash, 'hex') from audit.seals where block = 1`);
    writeFileSync(exported, `${JSON.stringify({ block: 1, hash: hash, sealedAt: '' })}\n`);
    assert.equal(await problems([october], { heads: exported }), '');
    assert.match(await problems([first], { heads: exported }), /^block 1 is not what was exported as a head: the archive was rewritten$/);
    assert.match(await problems([first, november]), /is another one than audit-2025-11 continues/);
    await assert.rejects(drop(settings, first), { code: 'VERIF' });
  });

  test('are dropped only when the archive holds every entry', async () => {
    const copy = path.join(mkdtempSync(path.join(folder, 'short-')), 'audit-2025-10');
    cpSync(october, copy, { recursive: true });
    rmSync(path.join(copy, 'entries.copy.zst'));
    await assert.rejects(drop(settings, copy), /does not hold/);
    assert.equal(await one(`select audit.retired_table('2025-10-01') is not null`), true);
    assert.equal(await drop(settings, october), '2025-10');
    assert.equal(await one(`select audit.retired_table('2025-10-01') is null`), true);
    assert.equal(await one('select count(*)::integer from audit.verify()'), 0);
    await assert.rejects(drop(settings, october), { code: 'NTFND' });
  });

  test('can be loaded back, to be read and not changed, and proved once more', async () => {
    await assert.rejects(load(settings, november), { code: 'NTFND' });
    assert.equal(await load(settings, october), 'archive.entries_2025_10');
    const { manifest } = await openArchive(october, undefined);
    assert.equal(await one('select count(*)::integer from archive.entries_2025_10'), manifest.entries);
    assert.equal(await one(`select count(*)::integer from audit.verify_retired('2025-10-01')`), 0);
    await assert.rejects(client.query('delete from archive.entries_2025_10'), { code: 'PERMA' });
    assert.equal((await list(settings)).find(({ month }) => month === '2025-10')?.state, 'loaded');
    // A superuser past the trigger, afterwards.
    await client.query(`
      begin;
      set local session_replication_role = replica;
      update archive.entries_2025_10 set role = 'x' where sequence = (select min(sequence) from archive.entries_2025_10)`);
    assert.equal(await one(`select problem from audit.verify_retired('2025-10-01')`), 'was edited after it was sealed');
    await client.query('rollback');
    await drop(settings, october);
  });

  test('say nothing of who was erased since', async () => {
    const sealed = `
      select audit.open_identity(e.patient_id, e.sealed_identity) ->> 'given_name'
      from archive.entries_2025_11 as e
      where e.table_name = 'hospital.patients' and e.patient_id = tests.id_of('ann') and e.sealed_identity is not null
      limit 1`;
    assert.notEqual(await one(sealed), null);
    await drop(settings, november);
    await client.query(`select audit.shred_person(tests.id_of('ann'))`);
    await load(settings, november);
    assert.equal(await one('select count(*)::integer from archive.entries_2025_11 where sealed_identity is not null') as number > 0, true);
    assert.equal(await one(sealed), null);
    for (const file of readdirSync(november)) {
      const bytes = readFileSync(path.join(november, file));
      assert.equal((file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).includes('Annabel'), false, file);
    }
  });

  test('are the operator’s: no job and no role of the API may retire or drop one', async () => {
    for (const role of ['hospital_worker', 'hospital_authenticator', 'hospital_backup', 'hospital_monitor'] as const) {
      const other = new Client({ connectionString: database.url(role) });
      await other.connect();
      try {
        for (const statement of [
          `select audit.retire_month('2025-11-01')`,
          `call audit.drop_retired('2025-11-01', sha256('x'), '[]')`,
          'drop table archive.entries_2025_11',
        ]) {
          await assert.rejects(other.query(statement), { code: '42501' }, `${role}: ${statement}`);
        }
      } finally {
        await other.end();
      }
    }
  });

  test('are encrypted with the key of the backups, and open with no other', async () => {
    const keyFile = path.join(folder, 'key');
    writeFileSync(keyFile, randomBytes(32).toString('hex'));
    const sealed = { ...settings, backup: { ...settings.backup, keyFile } };
    const out = path.join(folder, 'encrypted');
    const { folder: written } = await write(sealed, '2025-11', out);
    assert.deepEqual(await verify(sealed, [written]), []);
    await assert.rejects(verify(settings, [written]), /encrypted with another key/);
    for (const file of readdirSync(written)) assert.equal(readFileSync(path.join(written, file)).includes('hospital.patients'), false);
    // Another month's file in its place does not even open.
    renameSync(path.join(written, 'seals.copy.zst.sealed'), path.join(written, 'entries.copy.zst.sealed'));
    const found = await verify(sealed, [written]);
    assert.match(found[0]!.problem, /cannot be read/);
  });

  test('the command answers 0, 1 and 2', () => {
    const run = (...command: string[]): number | null =>
      spawnSync(process.execPath, [path.join(projectFolder, 'tools/infirmary.mjs'), 'archive', ...command], {
        env: { ...process.env, DATABASE_URL: database.url('hospital_owner') },
        stdio: 'ignore',
      }).status;
    assert.equal(run('verify', october, november, '--heads', heads, '--database'), 0);
    assert.equal(run('load', november), 1);
    assert.equal(run('drop', november), 2);
    assert.equal(run('export', 'last-month', '--out', folder), 2);
  });
});

function tryParse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

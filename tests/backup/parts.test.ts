import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { formatLsn, parseLsn, parseSegment, segmentAt, segmentName } from '../../tools/backup/lsn.ts';
import { untilNight } from '../../tools/backup/nightly.ts';
import { superfluous } from '../../tools/backup/prune.ts';
import type { Manifest } from '../../tools/backup/repository.ts';
import { opening, Sealer, sealing } from '../../tools/backup/seal.ts';
import { readStored, store } from '../../tools/backup/stored.ts';
import { readSettings } from '../../tools/settings.ts';

const key = randomBytes(32);
const content = randomBytes(300_000);

const seal = (name: string): Promise<Buffer> => buffer(Readable.from([content]).pipe(sealing(key, name)));
const openAs = (sealed: Buffer, name: string, with_ = key, mayBeCut = false): Promise<Buffer> => {
  // In odd pieces, as a disk gives them.
  const pieces = Array.from({ length: Math.ceil(sealed.length / 7919) }, (_, n) => sealed.subarray(n * 7919, (n + 1) * 7919));
  const stream = opening(with_, name, mayBeCut);
  Readable.from(pieces).pipe(stream);
  return buffer(stream);
};

test('what was encrypted opens under its own name and key, and under no other', async () => {
  const sealed = await seal('wal/one');
  assert.deepEqual(await openAs(sealed, 'wal/one'), content);
  assert.ok(!sealed.includes(content.subarray(0, 32)));
  await assert.rejects(openAs(sealed, 'wal/two'), /does not open/);
  await assert.rejects(openAs(sealed, 'wal/one', randomBytes(32)), /does not open/);
  assert.notDeepEqual(await seal('wal/one'), sealed, 'twice the same is not seen to be the same');
});

test('an encrypted file that is cut, changed, repeated or reordered does not open', async () => {
  const sealer = new Sealer(key, 'x');
  const [one, two, last] = [sealer.chunk(Buffer.from('one'), false), sealer.chunk(Buffer.from('two'), false), sealer.chunk(Buffer.from('last'), true)];
  const open = (...chunks: Buffer[]): Promise<Buffer> => openAs(Buffer.concat([sealer.header, ...chunks]), 'x');
  assert.equal((await open(one, two, last)).toString(), 'onetwolast');
  for (const chunks of [[one, two], [two, one, last], [one, one, two, last], [one, last], [one, two, last, last], [one, two, last, two]]) {
    await assert.rejects(open(...chunks));
  }
  for (let at = 0; at < one.length; at += 1) {
    const changed = Buffer.from(one);
    changed[at]! ^= 1;
    await assert.rejects(open(changed, two, last), `byte ${at}`);
  }
});

test('of a file that was being written when its writer died, what is whole opens', async () => {
  const sealer = new Sealer(key, 'x');
  const file = Buffer.concat([sealer.header, sealer.chunk(Buffer.from('whole'), false), sealer.chunk(Buffer.from('half'), false).subarray(0, 9)]);
  assert.equal((await openAs(file, 'x', key, true)).toString(), 'whole');
  await assert.rejects(openAs(file, 'x'), /its end is missing/);
});

test('when the content of a stored file has ended its hash is known, however the end of the file comes', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-stored-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (let number = 0; number < 60; number++) {
    const file = path.join(folder, String(number));
    const { to, done } = store(file, 'one', undefined);
    to.end(Buffer.alloc(3000 + 100 * number, number));
    const { sha256 } = await done;
    let found: string | undefined;
    await buffer(readStored(file, 'one', undefined, (hash) => (found = hash)));
    assert.equal(found, sha256, `file ${number}`);
    assert.equal(sha256, createHash('sha256').update(readFileSync(file)).digest('hex'));
  }
});

test('a place in the log is in the file that PostgreSQL names', () => {
  const megabytes = 16 * 1024 * 1024;
  assert.equal(segmentAt(1, parseLsn('0/3000028'), megabytes), '000000010000000000000003');
  assert.equal(segmentAt(18, parseLsn('A/FF000000'), megabytes), '000000120000000A000000FF');
  assert.equal(segmentName(1, parseSegment('00000001000000000000000F', megabytes).number + 1n, megabytes), '000000010000000000000010');
  assert.equal(segmentName(1, parseSegment('0000000100000000000000FF', megabytes).number + 1n, megabytes), '000000010000000100000000');
  assert.equal(formatLsn(parseLsn('A/FF0000B0')), 'A/FF0000B0');
});

test('the last backup of each day, week and month is kept, and always the newest', () => {
  const times = [
    '2026-01-31T01:00:00Z', '2026-02-27T01:00:00Z', '2026-02-28T01:00:00Z', '2026-03-01T01:00:00Z', '2026-03-02T01:00:00Z',
    '2026-03-08T01:00:00Z', '2026-03-09T01:00:00Z', '2026-03-09T13:00:00Z', '2026-03-10T01:00:00Z',
  ];
  const backups = times.map((finishedAt) => ({ name: finishedAt, finishedAt }) as Manifest);
  const kept = (daily: number, weekly: number, monthly: number): string[] => {
    const gone = superfluous(backups, { daily, weekly, monthly });
    return backups.filter((each) => !gone.includes(each)).map(({ name }) => name.slice(5, 13));
  };
  assert.deepEqual(kept(0, 0, 0), ['03-10T01'], 'the newest, whatever the rules say');
  assert.deepEqual(kept(2, 0, 0), ['03-09T13', '03-10T01'], 'the last of each of two days');
  assert.deepEqual(kept(0, 3, 0), ['03-01T01', '03-08T01', '03-10T01'], 'a week ends with Sunday');
  assert.deepEqual(kept(0, 0, 9), ['01-31T01', '02-28T01', '03-10T01']);
  assert.deepEqual(kept(7, 4, 6).length, 8, 'only the morning of a day with two');
});

test('what the settings of backups cannot be is said by name', () => {
  const wrong = { BACKUP_NIGHTLY: 'yes', BACKUP_WAL: '1', BACKUP_KEEP: 'all', BACKUP_URL: 'nonsense' };
  assert.throws(
    () => readSettings(wrong),
    (error: Error) => Object.keys(wrong).every((name) => error.message.includes(name)),
  );
  assert.deepEqual(readSettings({ BACKUP_KEEP: '1,0,12' }).backup.keep, { daily: 1, weekly: 0, monthly: 12 });
});

test('the night of the backup begins at half past one of UTC, today or tomorrow', () => {
  const minutes = (now: string): number => untilNight(new Date(now)) / 60_000;
  assert.equal(minutes('2026-03-29T00:00:00Z'), 90);
  assert.equal(minutes('2026-03-29T01:30:00Z'), 24 * 60);
  assert.equal(minutes('2026-12-31T23:30:00Z'), 120);
});

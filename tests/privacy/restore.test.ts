import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Client } from 'pg';
import { apply, work } from '../../tools/commands/erasures.ts';
import { cloneDatabase, testServer, type TestDatabase } from '../support/database.ts';
import { testSettings } from '../support/server.ts';
import { identity, makePerson, marker, searchEverywhere, valuesOf } from './person.ts';

async function withAdmin<Result>(
  database: { url(role: 'postgres'): string },
  doWork: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: database.url('postgres') });
  await client.connect();
  try {
    return await doWork(client);
  } finally {
    await client.end();
  }
}

/** A copy of the database's files as they are now: what a backup brings back. */
async function backUp(database: TestDatabase): Promise<{ name: string; url(role: 'postgres'): string }> {
  const server = await testServer();
  const name = `${database.name}_restored`;
  await withAdmin({ url: (role) => server.url(role) }, async (client) => {
    await client.query(`create database ${name} template ${database.name} owner hospital_owner`);
  });
  return { name, url: (role) => server.url(role, name) };
}

const eraseAs = async (client: Client, person: number, argument = ''): Promise<void> => {
  await client.query('begin');
  await client.query(`select tests.authenticate_as('administrator@example.test')`);
  await client.query(`select hospital.erase_patient($1, 'person_asked' ${argument})`, [person]);
  await client.query('commit');
};

test('whom a backup brings back is erased again from the journal, once', async () => {
  const database = await cloneDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'erasures-'));
  const journal = path.join(folder, 'deep', 'erasures.jsonl');
  const settings = { ...testSettings(), database: database.name };
  const { person, values } = await withAdmin(database, async (client) => {
    const id = await makePerson(client);
    // A hold that was live when the backup was made, and released before the erasure.
    await client.query(
      `insert into hospital.legal_holds (patient_id, matter, reason, held)
       values ($1, 'Docket 8', 'A suit', tstzrange(now() - interval '1 day', null))`,
      [id],
    );
    return { person: id, values: await valuesOf(client, id) };
  });
  const restored = await backUp(database);
  const restoredSettings = { ...settings, database: restored.name };
  try {
    await withAdmin(database, async (client) => {
      await client.query(
        `update hospital.legal_holds
         set held = tstzrange(lower(held), now()), released_at = now(), release_reason = 'Settled'
         where matter = 'Docket 8'`,
      );
      await eraseAs(client, person);
    });
    assert.equal(await work(settings, journal), 2, 'the person, and the certificate of the tests\' world');
    assert.equal(await work(settings, journal), 0, 'nothing is exported twice');
    const text = await readFile(journal, 'utf8');
    for (const value of values) assert.ok(!text.includes(value), `the journal does not say ${value}`);

    await withAdmin(restored, async (client) => {
      assert.notDeepEqual(await searchEverywhere(client, values), [], 'the backup brings him back');
      const outcomes = async (): Promise<string[]> =>
        (await apply(restoredSettings, journal)).map(({ outcome, why }) => outcome + why).sort();
      assert.deepEqual(await outcomes(), ['absent', 'erased']);
      assert.deepEqual(await searchEverywhere(client, values), []);
      assert.deepEqual(await outcomes(), ['absent', 'already']);
      const { rows } = await client.query(
        `select e.is_complete, e.reapplied_at is not null as again, o.erased_at = e.erased_at as as_then
         from hospital.erasures as e
         join hospital.patients as o on o.public_uuid = e.subject
         where cardinality(e.record_uuids) = 2`,
      );
      assert.deepEqual(rows, [{ is_complete: true, again: true, as_then: true }]);
    });
  } finally {
    await withAdmin(database, (client) => client.query(`drop database ${restored.name} with (force)`));
    await rm(folder, { recursive: true });
  }
});

test('a hold placed after the erasure that a backup lost is refused, by name, and the rest is applied', async () => {
  const database = await cloneDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'erasures-'));
  const journal = path.join(folder, 'erasures.jsonl');
  const settings = { ...testSettings(), database: database.name };
  try {
    await withAdmin(database, async (client) => {
      const person = await makePerson(client);
      const { rows } = await client.query<{ public_uuid: string }>(
        'select public_uuid from hospital.patients where id = any (array[$1, tests.id_of($2)]) order by id = $1 desc',
        [person, 'ann'],
      );
      const entry = (uuid: string): string =>
        `${JSON.stringify({
          erasedAt: '2026-01-05T10:00:00Z',
          isComplete: true,
          reason: 'person_asked',
          recordUuids: [uuid],
        })}\n`;
      await client.query(
        `update hospital.appointments set status = 'completed' where status = 'in_progress'`,
      );
      await writeFile(journal, rows.map((row) => entry(row.public_uuid)).join(''));
      await client.query(
        `insert into hospital.legal_holds (patient_id, matter, reason, held)
         values ($1, 'Docket 9', 'A suit', tstzrange(now(), null))`,
        [person],
      );
    });
    assert.deepEqual(
      (await apply(settings, journal)).map(({ outcome, why }) => [outcome, why]),
      [
        ['refused', 'A legal hold is on this record.'],
        ['erased', ''],
      ],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what was erased of somebody who must be kept is erased again too, and no more', async () => {
  const database = await cloneDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'erasures-'));
  const journal = path.join(folder, 'erasures.jsonl');
  const settings = { ...testSettings(), database: database.name };
  // What was told of an emergency is not the person's words.
  const state = `select distinct n.subject, p.family_name
    from hospital.notifications as n
    join hospital.patients as p on p.id = n.patient_id
    where p.id = tests.id_of('bob')
      and n.reason !~ '^break_glass'`;
  await withAdmin(database, async (client) => {
    await makePerson(client);
    await client.query(`update hospital.retention_rules set kept_for = '10 years' where code = 'clinical_record'`);
  });
  const restored = await backUp(database);
  try {
    await withAdmin(database, async (client) => {
      const { rows } = await client.query<{ id: string }>(`select tests.id_of('bob') as id`);
      await eraseAs(client, Number(rows[0]!.id), ', true');
    });
    await work(settings, journal);
    await withAdmin(restored, async (client) => {
      assert.deepEqual((await client.query(state)).rows, [{ subject: marker, family_name: identity.family }]);
      const outcomes = async (): Promise<string[]> =>
        (await apply({ ...settings, database: restored.name }, journal)).map(({ outcome }) => outcome).sort();
      assert.deepEqual(await outcomes(), ['absent', 'erased']);
      assert.deepEqual((await client.query(state)).rows, [{ subject: '[erased]', family_name: identity.family }]);
      assert.deepEqual(await outcomes(), ['absent', 'already']);
    });
  } finally {
    await withAdmin(database, (client) => client.query(`drop database ${restored.name} with (force)`));
    await rm(folder, { recursive: true });
  }
});

test('a journal that is damaged or missing is refused before anything is done', async () => {
  const database = await cloneDatabase();
  const folder = await mkdtemp(path.join(tmpdir(), 'erasures-'));
  const settings = { ...testSettings(), database: database.name };
  try {
    const journal = path.join(folder, 'erasures.jsonl');
    await assert.rejects(apply(settings, journal), /cannot be read/);
    await writeFile(journal, '{"erasedAt": "2026-01-05T10:00:00Z"\n');
    await assert.rejects(apply(settings, journal), /damaged.*line 1/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

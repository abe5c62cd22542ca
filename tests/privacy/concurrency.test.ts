import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { codeOf } from '../../tools/failure.ts';
import { importLock } from '../../tools/import/run.ts';
import { allAtOnce } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { identity, makePerson, marker, searchEverywhere, valuesOf } from './person.ts';

/** What somebody may be writing at that moment, by bare SQL as the owner; $1 is the person's key. */
const writers: Record<string, string> = {
  'a contact point': `
    insert into hospital.contact_points (patient_id, kind, value, is_preferred)
    values ($1, 'postal', '${marker}', false)`,
  'an identifier': `
    insert into hospital.patient_identifiers (patient_id, system, value)
    values ($1, 'ssn', '${marker}')`,
  'a name': `update hospital.patients set family_name = '${marker}' where id = $1`,
  'the notes of a visit': `
    update hospital.visits
    set notes = '${marker}', amendment_reason = '${marker}'
    where patient_id = $1`,
  'a treatment': `update hospital.treatments set notes = '${marker}' where patient_id = $1`,
  'a prescription': `
    insert into hospital.prescriptions
      (visit_id, patient_id, medication_id, prescribed_by, dosage, start_date)
    select v.id, v.patient_id, (select min(m.id) from hospital.medications as m), v.doctor_id,
      '${marker}', current_date
    from hospital.visits as v
    where v.patient_id = $1`,
  'a message': `
    insert into hospital.notifications (reason, patient_id, subject, body)
    values ('late', $1, '${marker}', '${marker}')`,
  'the address of the account': `
    update hospital_private.accounts set email = '${marker}@quix.test' where patient_id = $1`,
  'the reason of an appointment': `
    update hospital.appointments set reason = '${marker}' where patient_id = $1`,
  'a legal hold': `
    insert into hospital.legal_holds (patient_id, matter, reason, held)
    values ($1, '${marker}', '${marker}', tstzrange(now(), now() + interval '1 microsecond'))`,
};

describe('while somebody is erased', { concurrency: 1 }, () => {
  let database: TestDatabase;
  let person: number;
  let values: string[];
  const open: Client[] = [];

  const connect = async (role: 'postgres' | 'hospital_owner'): Promise<Client> => {
    const client = new Client({ connectionString: database.url(role) });
    client.on('error', () => {});
    await client.connect();
    open.push(client);
    return client;
  };
  const begin = async (): Promise<void> => {
    database = await cloneDatabase();
    const admin = await connect('postgres');
    person = await makePerson(admin);
    values = await valuesOf(admin, person);
  };
  const end = async (): Promise<void> => {
    for (const client of open.splice(0)) await client.end();
    await database.drop();
  };
  /** Begins a transaction as an administrator; the erasure itself is left to the caller. */
  const eraser = async (): Promise<Client> => {
    const client = await connect('postgres');
    await client.query('begin');
    await client.query(`select tests.authenticate_as('administrator@example.test')`);
    return client;
  };
  const erase = (client: Client): Promise<unknown> =>
    client.query(`select hospital.erase_patient($1, 'person_asked')`, [person]);
  /** Waits until a backend waits for a lock, or has answered all the same. */
  const blocked = async (client: Client, answer: Promise<unknown>): Promise<void> => {
    const watcher = await connect('postgres');
    let done = false;
    void answer.then(() => (done = true), () => (done = true));
    const { processID } = client as Client & { processID: number };
    while (!done) {
      const { rowCount } = await watcher.query(
        `select from pg_catalog.pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`,
        [processID],
      );
      if (rowCount) return;
    }
  };
  const outcomeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'done',
      (error: unknown) => codeOf(error) ?? 'failed',
    );
  /** Erases what a refused erasure left, and looks for the person everywhere. */
  const remains = async (): Promise<string[]> => {
    const again = await eraser();
    await erase(again);
    await again.query('commit');
    return searchEverywhere(await connect('postgres'), values);
  };

  test('whoever writes first is waited for, and what he wrote is erased too', async () => {
    await begin();
    try {
      const writer = await connect('hospital_owner');
      await writer.query('begin');
      for (const statement of Object.values(writers)) await writer.query(statement, [person]);
      const client = await eraser();
      const erasure = erase(client);
      await blocked(client, erasure);
      await writer.query('commit');
      assert.equal(await outcomeOf(erasure), 'done');
      await client.query('commit');
      assert.deepEqual(await searchEverywhere(await connect('postgres'), values), []);
    } finally {
      await end();
    }
  });

  for (const level of ['read committed', 'repeatable read']) {
    test(`whoever writes afterwards, under ${level}, writes nothing`, async () => {
      await begin();
      try {
        const late: [what: string, writer: Client, statement: string][] = [];
        for (const [what, statement] of Object.entries(writers)) {
          const writer = await connect('hospital_owner');
          await writer.query(`begin isolation level ${level}`);
          await writer.query('select count(*) from hospital.patients');
          late.push([what, writer, statement]);
        }
        const client = await eraser();
        await erase(client);
        const writing = late.map(([, writer, statement]) => outcomeOf(writer.query(statement, [person])));
        for (const [index, [, writer]] of late.entries()) await blocked(writer, writing[index]!);
        await client.query('commit');
        const refused = level === 'read committed' ? 'XERAS' : '40001';
        for (const [index, [what, writer]] of late.entries()) {
          assert.equal(await writing[index], refused, what);
          await writer.query('rollback');
        }
        assert.deepEqual(await searchEverywhere(await connect('postgres'), values), []);
      } finally {
        await end();
      }
    });
  }

  test('who logs in afterwards is refused, and who logged in first is thrown out', async () => {
    await begin();
    try {
      const visitor = await connect('hospital_owner');
      await visitor.query('begin');
      const first = await visitor.query<{ outcome: string }>(`select * from hospital.log_in($1, $2)`, [
        identity.email,
        'correct horse battery staple',
      ]);
      assert.equal(first.rows[0]!.outcome, 'granted');
      const client = await eraser();
      const erasure = erase(client);
      await blocked(client, erasure);
      await visitor.query('commit');
      assert.equal(await outcomeOf(erasure), 'done');
      const late = await connect('hospital_owner');
      const second = late.query<{ outcome: string }>(`select * from hospital.log_in($1, $2)`, [
        identity.email,
        'correct horse battery staple',
      ]);
      await blocked(late, second);
      await client.query('commit');
      assert.equal((await second).rows[0]!.outcome, 'refused');
      const { rows } = await client.query(
        `select from hospital_private.sessions as s
         join hospital_private.accounts as a on a.id = s.account_id
         where a.patient_id = $1 and s.revoked_at is null`,
        [person],
      );
      assert.deepEqual(rows, []);
    } finally {
      await end();
    }
  });

  test('while files are imported nobody is erased, since they may name him', async () => {
    await begin();
    try {
      const importer = await connect('hospital_owner');
      await importer.query(`select pg_advisory_lock(${importLock})`);
      const client = await eraser();
      assert.equal(await outcomeOf(erase(client)), 'RETRY');
      await client.query('rollback');
      await importer.query(`select pg_advisory_unlock(${importLock})`);
      assert.deepEqual(await remains(), []);
    } finally {
      await end();
    }
  });

  test('under an older snapshot nobody is erased, since what was written since would not be seen', async () => {
    await begin();
    try {
      for (const level of ['repeatable read', 'serializable']) {
        const client = await connect('postgres');
        await client.query(`begin isolation level ${level}`);
        await client.query(`select tests.authenticate_as('administrator@example.test')`);
        assert.equal(await outcomeOf(erase(client)), 'ISOLN', level);
        await client.query('rollback');
      }
    } finally {
      await end();
    }
  });

  test('everything at once leaves either a hold and the person, or neither', async () => {
    await begin();
    try {
      const at = `tests.next_working_instant(tests.id_of('dirk'), '15:00')`;
      const calls: [email: string, sql: string][] = [
        ['administrator@example.test', `select hospital.erase_patient($1, 'person_asked')`],
        ['administrator@example.test', `select hospital.erase_patient($1, 'person_asked')`],
        ['administrator@example.test', `select hospital.place_legal_hold($1, 'Docket 9', '${marker}')`],
        [identity.email, `select hospital.update_patient($1, address => '${marker}')`],
        [
          identity.email,
          `select hospital.book_appointment($1, tests.id_of('dirk'), tests.type_id(), ${at}, '${marker}')`,
        ],
        ['dirk@example.test', `select hospital.open_chart($1)`],
        ['reception@example.test', `select hospital.update_patient($1, family_name => '${marker}')`],
      ];
      const outcomes = await allAtOnce(database, [
        ...calls.map(([email, sql]) => ({ email, sql, values: [person] })),
        ...Object.values(writers).map((sql) => ({ login: 'hospital_owner' as const, sql, values: [person] })),
      ]);
      const admin = await connect('postgres');
      const { rows } = await admin.query<{ is_held: boolean }>(
        'select hospital_private.is_held(array[$1::bigint])',
        [person],
      );
      if (rows[0]!.is_held) {
        assert.ok(outcomes.slice(0, 2).every(({ code }) => code !== undefined), 'whoever erases is refused');
        await admin.query(
          `update hospital.legal_holds set held = tstzrange(lower(held), now()) where matter = 'Docket 9'`,
        );
      }
      assert.deepEqual(await remains(), []);
      const count = await admin.query(
        `select from hospital.erasures as e join hospital.patients as p on p.public_uuid = e.subject`,
      );
      assert.equal(count.rowCount, 1, 'there is one certificate');
    } finally {
      await end();
    }
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { codeOf } from '../../tools/failure.ts';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/*
 * A note is signed once, and what was signed is what its author saw; a grant holds from its first instant to its
 * last, whoever works meanwhile.
 */

describe('notes, by many at once', () => {
  let database: TestDatabase;
  let admin: Client;
  let author: string;
  let reader: string;
  let patient: string;
  let visit: string;
  const rounds = 8;

  before(async () => {
    database = await cloneDatabase();
    admin = new Client({ connectionString: database.url('postgres') });
    await admin.connect();
    const doctor = await value('select tests.doctor()');
    const colleague = await value('select tests.doctor()');
    author = await value('select tests.email_of_doctor($1)', [doctor]);
    reader = await value('select tests.email_of_doctor($1)', [colleague]);
    patient = await value('select tests.patient()');
    await value(`select tests.appointment($1, $2, tests.next_working_instant($1, '15:00'))`, [
      colleague,
      patient,
    ]);
    visit = await value('select tests.visit(tests.appointment($1, $2))', [doctor, patient]);
  });
  after(async () => {
    await admin.end();
    await database.drop();
  });

  async function value(sql: string, values: unknown[] = []): Promise<string> {
    const { rows } = await admin.query({ text: sql, values, rowMode: 'array' });
    return rows[0]?.[0];
  }
  const draft = (): Promise<string> => value('select tests.note($1, is_signed => false)', [visit]);
  /** The author at work: a chart is open for one session only, so each opens it. */
  const asAuthor = (statement: string, note: string): Call => ({
    email: author,
    sql: `with chart as materialized (select hospital.open_chart($2)) select note.* from chart cross join lateral ${statement} as note`,
    values: [note, patient],
  });
  /** Lets the reader in after as many seconds and for as many. */
  const grant = async (note: string, seconds: number): Promise<{ starts: number; ends: number }> =>
    (
      await admin.query(
        `insert into hospital.sensitivity_grants
           (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
         select n.patient_id, a.staff_member_id, n.sensitivity,
           tstzrange(t.now + make_interval(secs => $3), t.now + make_interval(secs => 2 * $3)),
           'Treats it', n.author_id
         from hospital_private.accounts as a, hospital.clinical_notes as n, clock_timestamp() as t (now)
         where a.email = $1 and n.id = $2
         returning extract(epoch from lower(granted))::float8 as starts, extract(epoch from upper(granted))::float8 as ends`,
        [reader, note, seconds],
      )
    ).rows[0];
  const sign = (note: string): Call => asAuthor('hospital.sign_note($1)', note);
  const edit = (note: string, plan: string): Call =>
    asAuthor(
      `hospital.edit_note($1, '{"subjective": "a", "objective": "b", "assessment": "c", "plan": "${plan}"}')`,
      note,
    );

  test('two signatures at once are one', async () => {
    for (let round = 0; round < rounds; round++) {
      const note = await draft();
      const outcomes = await allAtOnce(database, Array.from({ length: 4 }, () => sign(note)));
      assert.deepEqual(tally(outcomes), { done: 4 });
      const hashes = new Set(outcomes.map(({ row }) => row?.content_hash));
      assert.deepEqual([...hashes], [
        await value('select content_hash from hospital.clinical_notes where id = $1', [note]),
      ]);
    }
  });

  test('what is edited while it is signed is either in the signed note or refused', async () => {
    const ways = { kept: 0, refused: 0 };
    // Until both have been first, so that the test cannot pass without having seen either.
    for (let round = 0; round < rounds || !ways.kept || !ways.refused; round++) {
      const note = await draft();
      const calls = [sign(note), edit(note, 'edited')];
      if (round % 2) calls.reverse();
      const outcomes = await allAtOnce(database, calls);
      const [signing, editing] = round % 2 ? outcomes.reverse() : outcomes;
      assert.equal(signing!.code, undefined);
      const isKept = editing!.code === undefined;
      if (!isKept) assert.equal(editing!.code, 'SIGND');
      const { rows } = await admin.query(
        `select n.body ->> 'plan' = 'edited' as edited, n.content_hash, hospital.clinical_notes_is_intact(n) as intact,
           (select count(*)::integer from hospital.clinical_note_versions as v where v.note_id = n.id) as versions
         from hospital.clinical_notes as n where n.id = $1`,
        [note],
      );
      const { content_hash } = signing!.row!;
      assert.deepEqual(rows, [{ edited: isKept, content_hash, intact: true, versions: Number(isKept) }]);
      ways[isKept ? 'kept' : 'refused']++;
    }
  });

  for (const level of ['read committed', 'repeatable read', 'serializable']) {
    test(`an edit that began before the signature does not follow it, under ${level}`, async () => {
      const note = await draft();
      const client = new Client({ connectionString: database.url('hospital_owner') });
      await client.connect();
      try {
        await client.query(`begin isolation level ${level}`);
        await client.query('select from hospital.clinical_notes');
        await allAtOnce(database, [sign(note)]);
        const code = await client
          .query(`update hospital.clinical_notes set body = body || '{"plan": "late"}' where id = $1`, [note])
          .then(() => 'done', codeOf);
        assert.equal(code, level === 'read committed' ? 'SIGND' : '40001');
      } finally {
        await client.end();
      }
      assert.equal(
        await value(`select body ->> 'plan' from hospital.clinical_notes where id = $1`, [note]),
        'Less salt',
      );
    });
  }

  test('a grant opens and closes by the clock, inside one transaction too', async () => {
    const client = new Client({ connectionString: database.url('hospital_authenticator') });
    await client.connect();
    try {
      const note = await value(`select tests.note($1, sensitivity => 'hiv')`, [visit]);
      const { rows } = await admin.query(
        `select 'hospital_' || role as role, session_id as id, session_secret as secret from tests.new_session($1)`,
        [reader],
      );
      await client.query('begin');
      await client.query(
        `select set_config('role', $1, true), set_config('infirmary.session_id', $2, true),
           set_config('infirmary.session_secret', $3, true)`,
        [rows[0].role, rows[0].id, rows[0].secret],
      );
      await client.query('select hospital.open_chart($1)', [patient]);
      // What was seen, and two instants between which it was looked at.
      const look = async (): Promise<{ from: number; seen: boolean; until: number }> => {
        const { rows: seen } = await client.query(
          `select extract(epoch from clock_timestamp())::float8 as from,
             exists (select from hospital.clinical_notes where id = $1) as seen,
             extract(epoch from clock_timestamp())::float8 as until`,
          [note],
        );
        return seen[0];
      };
      // A machine that is busy elsewhere may look at no moment of a short grant: then a longer one follows.
      for (let seconds = 0.5, looked = 0; looked === 0; seconds *= 2) {
        const { starts, ends } = await grant(note, seconds);
        const samples = [];
        do {
          samples.push(await look());
          await setTimeout(5);
        } while (samples.at(-1)!.from < ends);
        const inside = samples.filter(({ from, until }) => from >= starts && until < ends);
        const outside = samples.filter(({ from, until }) => until < starts || from >= ends);
        assert.deepEqual([inside.filter(({ seen }) => !seen), outside.filter(({ seen }) => seen)], [[], []]);
        looked = inside.length;
      }
      await client.query('rollback');
    } finally {
      await client.end();
    }
  });
});

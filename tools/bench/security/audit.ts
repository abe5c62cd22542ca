import type { Client } from 'pg';
import { ask, withClient } from '../../database.ts';
import { type Conditions, type Contender, Void } from '../comparison.ts';
import { durabilitySql } from '../environment.ts';
import type { Bench } from '../suite.ts';

/** How many rows a bulk statement writes, where there are as many. */
const bulk = 100_000;

/** What a hand-written audit looks like: a trigger for each row that keeps the row before and after. */
const rowLevel = `
  create table audit.before_and_after (
    like audit.entries including defaults including identity including indexes,
    new_image jsonb
  );
  create function audit.keep_before_and_after() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    actor audit.actor := audit.current_actor();
  begin
    insert into audit.before_and_after
      (table_name, operation, row_key, patient_id, old_image, new_image,
        account_id, session_id, role, client_address, request_id)
    values (tg_table_schema || '.' || tg_table_name, lower(tg_op), coalesce(new.id, old.id)::text,
      coalesce(new.patient_id, old.patient_id), to_jsonb(old), to_jsonb(new),
      actor.account_id, actor.session_id, actor.role, actor.client_address, actor.request_id);
    return null;
  end;
  $$;
  create trigger _900_before_and_after after insert or update or delete on hospital.treatments
    for each row execute function audit.keep_before_and_after()`;

const withoutOurs = ['insert', 'update', 'delete']
  .map((event) => `alter table hospital.treatments disable trigger _900_audit_${event};`)
  .join('\n');

/** The ways compared: what is done to the table first, and where each row written is counted afterwards. */
const ways = {
  'no audit': { setup: withoutOurs, written: 'select 0' },
  'row-level trigger, old and new as jsonb': {
    setup: `${withoutOurs}\n${rowLevel}`,
    written: 'select count(*)::integer from audit.before_and_after',
  },
  audit: {
    setup: 'select 1',
    written: 'select count(*)::integer from audit.entries where transaction_id = pg_current_xact_id()',
  },
};
type Way = keyof typeof ways;

/** Something that is written: one statement, or one per row. */
interface Work {
  title: string;
  rows: number;
  write(client: Client): Promise<void>;
}

/** What the record of changes adds to writing, against none and against a trigger for each row. */
export async function compareAudit(bench: Bench): Promise<void> {
  await withClient(bench.database.url('hospital_owner'), async (client) => {
    const [first] = (await ask(client, 'select count(*)::integer from hospital.treatments')).rows;
    for (const work of worksOf(Math.min(bulk, Number(first![0])), bench.requests)) await compare(bench, client, work);
  });
}

function worksOf(rows: number, requests: number): Work[] {
  const chosen = `select id from hospital.treatments order by id limit ${rows}`;
  const one = (title: string, sql: string): Work => ({
    title: `${rows.toLocaleString('en')} rows ${title} by one statement`,
    rows,
    write: async (client) => void (await client.query(sql)),
  });
  const singles = Math.min(rows, requests);
  const oneByOne = (title: string, sql: string): Work => ({
    title: `One row ${title} by one statement, ${singles.toLocaleString('en')} times`,
    rows: singles,
    write: async (client) => {
      const { rows: ids } = await ask(client, `${chosen.replace(/\d+$/, String(singles))}`);
      for (const [id] of ids) await client.query({ name: title, text: sql, values: [id] });
    },
  });
  const copy = `
    insert into hospital.treatments (visit_id, patient_id, type, cost, notes, started_at, ended_at, outcome)
    select visit_id, patient_id, type, cost, notes, started_at, ended_at, outcome from hospital.treatments`;
  return [
    one('inserted', `${copy} where id in (${chosen})`),
    one('updated', `update hospital.treatments set notes = 'Checked.' where id in (${chosen})`),
    one('deleted', `delete from hospital.treatments where id in (${chosen})`),
    oneByOne('inserted', `${copy} where id = $1`),
    oneByOne('updated', `update hospital.treatments set notes = 'Checked.' where id = $1`),
  ];
}

async function compare(bench: Bench, client: Client, work: Work): Promise<void> {
  const [none, perRow, ours] = Object.keys(ways) as [Way, Way, Way];
  const added = async (way: Way): Promise<Record<string, number>> => {
    const [without, whole] = [await timeOf(client, work, none), await timeOf(client, work, way)];
    return { whole, added: whole - without };
  };
  const contenders: Contender[] = [
    { name: none, conditions: () => conditionsOf(client, work, none), sample: async () => ({ whole: await timeOf(client, work, none) }) },
    { name: perRow, conditions: () => conditionsOf(client, work, perRow), sample: () => added(perRow) },
    { name: ours, conditions: () => conditionsOf(client, work, ours), sample: () => added(ours) },
  ];
  const isBulk = work.rows > bench.requests;
  await bench.measure({
    title: work.title,
    figures: [
      { key: 'whole', title: 'a row written', clock: 'client', unit: 'µs' },
      { key: 'added', title: 'added to a row', clock: 'client', unit: 'µs' },
    ],
    contenders,
    // In bulk the audit is to add 0.65 of what the other adds at most.
    ratios: [{ figure: 'added', of: perRow, to: ours, ...(isBulk && { aim: 1.54 }) }],
    rounds: isBulk ? Math.min(3, bench.rounds) : bench.rounds,
    warmUp: 1,
    notes: async () => ['what is added: the difference to the same without audit, measured just before, in the same round'],
  });
}

/** Microseconds a row. */
function timeOf(client: Client, work: Work, way: Way): Promise<number> {
  return inside(client, way, async () => {
    const began = performance.now();
    await work.write(client);
    return ((performance.now() - began) * 1000) / work.rows;
  });
}

function conditionsOf(client: Client, work: Work, way: Way): Promise<Conditions> {
  return inside(client, way, async () => {
    await work.write(client);
    const [written] = (await ask(client, ways[way].written)).rows[0] as [number];
    const expected = way === 'no audit' ? 0 : work.rows;
    if (written !== expected) throw new Void(`${way} recorded ${written} rows and not ${expected}`);
    const sql = `
      select
        (select count(*) || ' rows ' || md5(string_agg(cost || coalesce(notes, ''), ',' order by cost, notes)) from hospital.treatments),
        current_user::text,
        ${durabilitySql}`;
    const [rows, role, durability] = (await ask(client, sql)).rows[0] as [string, string, string];
    return { rows, role, durability };
  });
}

/** In a transaction that is rolled back, so that every round begins with the same rows. */
async function inside<Result>(client: Client, way: Way, use: () => Promise<Result>): Promise<Result> {
  await client.query('begin');
  try {
    await client.query(ways[way].setup);
    return await use();
  } finally {
    await client.query('rollback');
  }
}

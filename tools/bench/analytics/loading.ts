import type { Client } from 'pg';
import { ask, withClient } from '../../database.ts';
import { type Conditions, type Contender, Void } from '../comparison.ts';
import { durabilitySql } from '../environment.ts';
import type { Bench } from '../suite.ts';
import { facts, inSnapshot } from './warehouse.ts';

/** How many times cheaper it is hoped to be to load what changed than to load everything. */
const AIM = 30;
/** The part of the rows that change. */
const changed = 100;

/** One row of a hundred of what changes most: costs, ends of visits, reasons that make the loader look in vain. */
const change = [
  `update hospital.treatments set cost = cost + 1 where id % ${changed} = 0`,
  `update hospital.prescriptions set stopped_at = now(), stop_reason = 'Measured.' where id % ${changed} = 0 and stopped_at is null`,
  `update hospital.appointments set reason = 'Measured.' where id % ${changed} = 0`,
];
const emptied = `truncate ${facts.map((fact) => `warehouse.${fact}`).join(', ')}`;

/** Loading what changed against loading everything, and against writing the same rows into plain tables. */
export async function compareLoading(bench: Bench, name: string, appointments: number): Promise<void> {
  const of = `${appointments.toLocaleString('en')} appointments`;
  await withClient(bench.database.url('hospital_owner', name), async (owner) => {
    const incremental = loading(owner, 'load of what changed', false);
    const anew = loading(owner, 'load of everything into empty facts', true);
    await bench.measure({
      title: `One row of ${changed} changed: ${of}`,
      figures: [{ key: 'client', title: 'loaded', clock: 'client', unit: 'ms' }],
      contenders: [incremental, anew],
      ratios: [{ figure: 'client', of: anew.name, to: incremental.name, aim: AIM }],
      rounds: Math.min(3, bench.rounds),
      warmUp: 1,
      notes: async () => ['the changes themselves are made first, in the same transaction, and not timed'],
    });
    for (const fact of facts) await comparePlain(bench, owner, fact, of);
  });
}

function loading(owner: Client, name: string, everything: boolean): Contender {
  const prepare = async (): Promise<void> => {
    for (const sql of change) await owner.query(sql);
    if (everything) await owner.query(emptied);
  };
  const load = (): Promise<unknown> => owner.query('select ops.load_warehouse($1)', [everything]);
  return {
    name,
    conditions: () =>
      inSnapshot(owner, async () => {
        await prepare();
        await load();
        return conditionsOf(owner, facts);
      }),
    sample: () =>
      inSnapshot(owner, async () => {
        await prepare();
        return timed(load);
      }),
  };
}

/** The loader's statement for one fact, with its keys, indexes and foreign keys, against the rows alone. */
async function comparePlain(bench: Bench, owner: Client, fact: (typeof facts)[number], of: string): Promise<void> {
  const transform = `warehouse.transform_${fact.replace('fact_', '')}`;
  const [count] = (await ask(owner, `select count(*)::float8 from warehouse.${fact}`)).rows[0] as [number];
  if (count === 0) return;
  const way = (name: string, setup: string, sql: string, table: string): Contender => ({
    name,
    conditions: () =>
      inSnapshot(owner, async () => {
        // As the loader plans: nobody can estimate how few versions are in force at an instant.
        await owner.query('set local enable_nestloop = off');
        await owner.query(setup);
        await owner.query(sql);
        const conditions = await conditionsOf(owner, [fact], table);
        if (!conditions.rows.startsWith(`${count} `)) throw new Void(`${name} wrote ${conditions.rows} and not ${count}`);
        return conditions;
      }),
    sample: () =>
      inSnapshot(owner, async () => {
        await owner.query('set local enable_nestloop = off');
        await owner.query(setup);
        const { client } = await timed(() => owner.query(sql));
        return { rate: (count / client) * 1000 };
      }),
  });
  const ours = way('loader', `truncate warehouse.${fact}`, `select warehouse.put_rows('${fact}', null)`, `warehouse.${fact}`);
  const plain = way(
    'plain insert … select',
    `create table warehouse.plain as select * from ${transform} limit 0`,
    `insert into warehouse.plain select * from ${transform}`,
    'warehouse.plain',
  );
  await bench.measure({
    title: `${count.toLocaleString('en')} rows of ${fact} loaded: ${of}`,
    figures: [{ key: 'rate', title: 'loaded', clock: 'client', unit: 'rows/s' }],
    contenders: [ours, plain],
    ratios: [{ figure: 'rate', of: ours.name, to: plain.name }],
    rounds: Math.min(3, bench.rounds),
    warmUp: 1,
    notes: async () => ['the plain table has no key, index or foreign key'],
  });
}

async function timed(work: () => Promise<unknown>): Promise<{ client: number }> {
  const began = performance.now();
  await work();
  return { client: performance.now() - began };
}

/** How many rows there are and what they are, whatever order they lie in. */
async function conditionsOf(owner: Client, names: readonly string[], table?: string): Promise<Conditions> {
  const sums = names.map((fact) => {
    const key = `warehouse.${fact}`;
    return `(select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) from ${table ?? key} as t)`;
  });
  const sql = `select concat_ws(', ', ${sums.join(', ')}), current_user::text, ${durabilitySql}`;
  const [rows, role, durability] = (await ask(owner, sql)).rows[0] as [string, string, string];
  return { rows, role, durability };
}

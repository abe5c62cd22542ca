import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { ask } from '../database.ts';
import { durabilitySql } from './environment.ts';
import { type Contender, type Sample, Void } from './comparison.ts';
import { accessTo, type Explained, outline } from './plan.ts';

/** A question that one index answers. */
export interface Lookup {
  title: string;
  table: string;
  sql: string;
  value: string;
  /** Who asks under row security. */
  role: string;
  claims: Record<string, string>;
  /** Times faster in the server that the index is expected to make it; none where many rows are the answer. */
  aim?: number;
}

/** One way to answer a lookup. */
export interface AccessContender extends Contender {
  /** The plan in one line, as it was when the conditions were looked at. */
  seen(): string;
  /** The plan in full. */
  plan(): Promise<string[]>;
}

/** Both ways take the same steps in the same transaction; only the drop differs, and it is not timed. */
export function accessContender(
  client: Client,
  lookup: Lookup,
  name: string,
  drops: string[],
  expected: 'index' | 'sequential',
): AccessContender {
  let seen = '';
  const inside = async <T>(work: () => Promise<T>): Promise<T> => {
    await client.query('begin');
    try {
      for (const drop of drops) await client.query(drop);
      const claims = { ...lookup.claims, role: lookup.role };
      await client.query('select set_config(key, value, true) from json_each_text($1)', [JSON.stringify(claims)]);
      return await work();
    } finally {
      await client.query('rollback');
    }
  };
  const explain = async (): Promise<Explained> => {
    const { rows } = await ask(client, `explain (analyze, timing off, format json) ${lookup.sql}`, [lookup.value]);
    return (rows[0]![0] as Explained[])[0]!;
  };
  return {
    name,
    seen: () => seen,
    plan: () =>
      inside(async () => {
        const { rows } = await ask(client, `explain (analyze, buffers) ${lookup.sql}`, [lookup.value]);
        return [`${name}:`, ...rows.map(([line]) => `| ${line}`)];
      }),
    conditions: () =>
      inside(async () => {
        const { Plan: plan } = await explain();
        seen = outline(plan);
        if (accessTo(plan, lookup.table) !== expected) throw new Void(`${name}, but the plan is: ${seen}`);
        const { rows } = await ask(client, lookup.sql, [lookup.value]);
        const [role, durability] = (await ask(client, `select current_user::text, ${durabilitySql}`)).rows[0] as string[];
        return { rows: `${rows.length} rows ${digest(rows)}`, role: role!, durability: durability! };
      }),
    sample: () =>
      inside(async (): Promise<Sample> => {
        const explained = await explain();
        const began = performance.now();
        await ask(client, lookup.sql, [lookup.value]);
        return { execution: explained['Execution Time'], client: performance.now() - began };
      }),
  };
}

/**
 * The statements that leave a table with its primary key and no other index. All go, not only the one that answers:
 * the planner would read another from end to end, even a unique key's, whose foreign keys therefore go too.
 */
export async function dropsOf(client: Client, table: string): Promise<string[]> {
  const { rows } = await ask(
    client,
    `select case
       when k.oid is null then format('drop index %s', i.indexrelid::regclass)
       else format('alter table %s drop constraint %I cascade', i.indrelid::regclass, k.conname)
     end
     from pg_index as i
     left join pg_constraint as k
       on k.conindid = i.indexrelid
       and k.contype in ('u', 'x')
     where i.indrelid = ('hospital.' || $1)::regclass
       and not i.indisprimary`,
    [table],
  );
  return rows.map(([statement]) => statement as string);
}

function digest(rows: unknown[][]): string {
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12);
}

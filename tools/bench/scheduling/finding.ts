import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { ask } from '../../database.ts';
import { durabilitySql } from '../environment.ts';
import type { Contender, Sample } from '../comparison.ts';
import type { Explained } from '../plan.ts';

/** A question for free time, as one way of asking puts it to one hospital. */
export interface Question {
  name: string;
  /** Connected as the administrator, who takes the role. */
  client: Client;
  role: string;
  claims: Record<string, string>;
  sql: string;
  values: unknown[];
}

/** Asks inside a transaction of the role's own, once for the server's time and once for the client's. */
export function findingContender({ name, client, role, claims, sql, values }: Question): Contender {
  const inside = async <T>(work: () => Promise<T>): Promise<T> => {
    await client.query('begin');
    try {
      await client.query('select set_config(key, value, true) from json_each_text($1)', [
        // The API's timeout would end the slower ways.
        JSON.stringify({ ...claims, role, statement_timeout: '0' }),
      ]);
      return await work();
    } finally {
      await client.query('rollback');
    }
  };
  return {
    name,
    conditions: () =>
      inside(async () => {
        const { rows } = await ask(client, sql, values);
        const [current, durability] = (await ask(client, `select current_user::text, ${durabilitySql}`)).rows[0] as string[];
        const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12);
        return { rows: `${rows.length} rows ${digest}`, role: current!, durability: durability! };
      }),
    sample: () =>
      inside(async (): Promise<Sample> => {
        const { rows } = await ask(client, `explain (analyze, timing off, format json) ${sql}`, values);
        const began = performance.now();
        await ask(client, sql, values);
        return {
          execution: (rows[0]![0] as Explained[])[0]!['Execution Time'],
          client: performance.now() - began,
        };
      }),
  };
}

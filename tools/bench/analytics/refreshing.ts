import type { Client } from 'pg';
import { ask, withClient } from '../../database.ts';
import type { Conditions, Contender } from '../comparison.ts';
import { durabilitySql } from '../environment.ts';
import type { Bench } from '../suite.ts';
import { inSnapshot } from './warehouse.ts';

/** What it costs to refresh each view while it is read, against filling it anew, which shuts readers out. */
export async function compareRefreshing(bench: Bench, name: string, appointments: number): Promise<void> {
  await withClient(bench.database.url('hospital_owner', name), async (owner) => {
    const { rows } = await ask(owner, `select matviewname from pg_matviews where schemaname = 'warehouse' order by 1`);
    for (const [view] of rows as [string][]) {
      const concurrently = refreshing(owner, view, 'concurrently');
      const anew = refreshing(owner, view, '');
      await bench.measure({
        title: `${view} refreshed: ${appointments.toLocaleString('en')} appointments`,
        figures: [{ key: 'client', title: 'refreshed', clock: 'client', unit: 'ms' }],
        contenders: [concurrently, anew],
        ratios: [{ figure: 'client', of: anew.name, to: concurrently.name }],
        rounds: Math.min(3, bench.rounds),
        warmUp: 1,
      });
    }
  });
}

function refreshing(owner: Client, view: string, how: 'concurrently' | ''): Contender {
  const refresh = (): Promise<unknown> => owner.query(`refresh materialized view ${how} warehouse.${view}`);
  return {
    name: how || 'filled anew',
    conditions: () =>
      inSnapshot(owner, async (): Promise<Conditions> => {
        await refresh();
        const sql = `select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0), current_user::text, ${durabilitySql}
                     from warehouse.${view} as t`;
        const [rows, role, durability] = (await ask(owner, sql)).rows[0] as [string, string, string];
        return { rows, role, durability };
      }),
    sample: () =>
      inSnapshot(owner, async () => {
        const began = performance.now();
        await refresh();
        return { client: performance.now() - began };
      }),
  };
}

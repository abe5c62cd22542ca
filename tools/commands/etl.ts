import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ClientBase } from 'pg';
import { acquireServer } from '../cluster/server.ts';
import { withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { print, say } from '../terminal.ts';
import { openPool } from '../worker/pool.ts';
import { runJob } from '../worker/run-job.ts';
import { loadWarehouse } from '../worker/tasks/load_warehouse.ts';

/** How a load ended. */
export interface Load {
  /** Rows of dimensions and facts that were written or deleted. */
  rows: number;
  /** Everything committed before this instant is in the warehouse. */
  dataAsOf: string;
}

/** A row that loading everything anew would make otherwise. */
export interface Difference {
  table: string;
  key: string;
  problem: string;
}

/** What a verification compared and found. */
export interface Verification {
  tables: { table: string; rows: number }[];
  differences: Difference[];
}

type Tell = (line: string) => void;

export function register(program: Command): void {
  const command = program.command('etl').description('the warehouse: the record, copied for analysis');
  command
    .command('run')
    .description('load what changed, as the worker does every minute')
    .option('--full', 'load everything anew')
    .option('--json', '{"rows": 1200, "dataAsOf": "…"}')
    .action(async ({ full, json }: { full?: boolean; json?: boolean }) => {
      const load = await run(readSettings(), full ?? false, say);
      if (json) print(JSON.stringify(load));
      say(`Loaded ${load.rows} rows; the warehouse is as of ${load.dataAsOf}.`);
    });
  command
    .command('verify')
    .description('prove that the warehouse is what loading everything anew would make of it; changes nothing')
    .option('--json', '{"tables": [{"table", "rows"}], "differences": [{"table", "key", "problem"}]}')
    .action(async ({ json }: { json?: boolean }) => {
      const { tables, differences } = await verify(readSettings(), say);
      if (json) print(JSON.stringify({ tables, differences }));
      const [first] = differences;
      if (first) {
        if (!json) for (const { table, key, problem } of differences) print(`${table} ${key} ${problem}`);
        throw new Failure(
          `The warehouse is not what it should be: row ${first.key} of ${first.table} ${first.problem}.`,
          `${differences.length} rows differ in all. infirmary etl run --full mends them.`,
        );
      }
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      say(`The warehouse is what loading everything anew would make: ${rows} rows in ${tables.length} tables.`);
    });
}

/** Loads the warehouse as the worker would, and records the run. */
export async function run(settings: Settings, inFull: boolean, tell: Tell = () => {}): Promise<Load> {
  return asOwner(settings, async (url) => {
    const pool = openPool(url);
    let rows = 0;
    const work = (client: ClientBase): Promise<number> =>
      telling(client, tell, async () => {
        const answer = await client.query<{ rows: string }>('select ops.load_warehouse($1) as rows', [inFull]);
        return (rows = Number(answer.rows[0]!.rows));
      });
    try {
      await runJob(pool, { ...loadWarehouse, work });
      const { rows: states } = await pool.query<{ at: string }>('select to_json(data_as_of) #>> $1 as at from warehouse.load_state', ['{}']);
      return { rows, dataAsOf: states[0]!.at };
    } finally {
      await pool.end();
    }
  });
}

/** Compares the warehouse with what a full load would make, in one snapshot that is then rolled back. */
export async function verify(settings: Settings, tell: Tell = () => {}): Promise<Verification> {
  return asOwner(settings, (url) =>
    withClient(url, async (client) => {
      for (;;) {
        await client.query('begin isolation level repeatable read');
        try {
          return await telling(client, tell, () => compare(client));
        } catch (error) {
          // Somebody is loading, or was when this snapshot was taken.
          if (codeOf(error) !== '55P03') throw error;
          tell('Waiting for a load to end.');
        } finally {
          await client.query('rollback');
        }
        await sleep(1000);
      }
    }),
  );
}

async function compare(client: ClientBase): Promise<Verification> {
  const { rows: differences } = await client.query<Difference>(
    'select table_name as "table", key::text, problem from warehouse.verify()',
  );
  const { rows: names } = await client.query<{ name: string }>('select unnest(warehouse.loaded_tables()) as name');
  const tables: Verification['tables'] = [];
  for (const { name } of names) {
    const { rows } = await client.query<{ count: string }>(
      `select count(*) from warehouse.${client.escapeIdentifier(name)}`,
    );
    tables.push({ table: name, rows: Number(rows[0]!.count) });
  }
  return { tables, differences };
}

/** Passes on what the functions say while they work: which table, how many rows. */
async function telling<Result>(client: ClientBase, tell: Tell, work: () => Promise<Result>): Promise<Result> {
  const listen = ({ message }: { message?: string }): void => tell(`  ${message}`);
  client.on('notice', listen);
  try {
    return await work();
  } finally {
    client.off('notice', listen);
  }
}

async function asOwner<Result>(settings: Settings, use: (url: string) => Promise<Result>): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await use(server.url('hospital_owner'));
  } finally {
    await server.release();
  }
}

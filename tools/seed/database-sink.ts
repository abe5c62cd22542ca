import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { finished } from 'node:stream/promises';
import { Failure } from '../failure.ts';
import { tableNames, tables, type Batch, type Row, type TableName } from './tables.ts';

/**
 * Writes batches into the hospital. COPY is refused on tables under row security, so rows go by COPY into
 * temporary tables and from there, by `insert … select`, past every constraint, trigger and policy.
 */
export class DatabaseSink {
  readonly #client: pg.Client;
  readonly #written = new Map<TableName, number>();

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Makes the landing tables, and lets the keys of the (empty) tables begin at 1. Call it in a transaction. */
  async open(): Promise<void> {
    for (const name of tableNames) {
      const { schema, columns, filled } = tables[name];
      await this.#client.query(
        `create temporary table seed_${name} on commit drop as
         select ${columns.join(', ')} from ${schema}.${name} with no data`,
      );
      if (filled.includes('id') && columns.includes('id')) {
        await this.#client.query(`alter table ${schema}.${name} alter column id restart with 1`);
      }
    }
    await this.#client.query('alter sequence hospital_private.medical_record_numbers restart with 1');
  }

  /** Writes one batch. */
  async write(batch: Batch): Promise<void> {
    for (const name of tableNames) {
      const rows = batch.rows.get(name);
      if (!rows) continue;
      await this.#copy(name, rows);
      const { schema, columns, filled } = tables[name];
      const list = columns.filter((column) => !filled.includes(column)).join(', ');
      await this.#client.query(
        `insert into ${schema}.${name} (${list})
         select ${list} from pg_temp.seed_${name} ${columns.includes('id') ? 'order by id' : ''}`,
      );
      await this.#client.query(`truncate pg_temp.seed_${name}`);
      this.#written.set(name, (this.#written.get(name) ?? 0) + rows.length);
    }
  }

  /** Makes sure that the database gave the keys that the rows refer to, and returns the number of rows. */
  async close(): Promise<Record<TableName, number>> {
    for (const [name, count] of this.#written) {
      const { schema, columns } = tables[name];
      if (!columns.includes('id')) continue;
      const { rows } = await this.#client.query<{ last: string }>(
        `select max(id) as last from ${schema}.${name}`,
      );
      if (Number(rows[0]?.last) !== count) {
        throw new Failure(
          `The keys of ${schema}.${name} do not run from 1 to ${count}.`,
          'Nothing was written.',
        );
      }
    }
    return Object.fromEntries(this.#written) as Record<TableName, number>;
  }

  /** Lets the planner know what has been written. */
  async analyze(): Promise<void> {
    const names = [...this.#written.keys()].map((name) => `${tables[name].schema}.${name}`);
    await this.#client.query(`analyze ${names.join(', ')}`);
  }

  async #copy(name: TableName, rows: Row[]): Promise<void> {
    const stream = this.#client.query(copyFrom(`copy pg_temp.seed_${name} from stdin`));
    stream.end(rows.map(copyLine).join(''));
    await finished(stream);
  }
}

/** A line of COPY's text format. */
function copyLine(row: Row): string {
  let line = '';
  for (const value of row) {
    if (line !== '') line += '\t';
    if (value === null) line += '\\N';
    else if (typeof value === 'number') line += value;
    else line += /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, escapeCharacter) : value;
  }
  return `${line}\n`;
}

function escapeCharacter(character: string): string {
  return { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }[character] ?? character;
}

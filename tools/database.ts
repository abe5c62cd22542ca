import pg from 'pg';
import { codeOf, Failure } from './failure.ts';

/** What a query answered. */
export interface Answer {
  columns: string[];
  rows: unknown[][];
  /** The statement's tag, such as SELECT or UPDATE, and how many rows it concerned. */
  command: string;
  count: number;
}

const setUp = 'Set the hospital up: npm start; or step by step: infirmary roles apply, infirmary migrate';

/**
 * Runs `work` with a connection to `url` and closes it whatever happens.
 * @throws Failure when the database or the role is not there yet.
 */
export async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser } });
  // A server that stops meanwhile shows in the query that fails, not in a crash of this process.
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    const { username, pathname } = new URL(url);
    if (codeOf(error) === '3D000') {
      const name = decodeURIComponent(pathname.slice(1));
      throw new Failure(`The database "${name}" does not exist yet.`, setUp, { cause: error });
    }
    if (codeOf(error) === '28P01') {
      throw new Failure(`The role "${username}" does not exist yet, or has another password.`, setUp, {
        cause: error,
      });
    }
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Runs SQL; of several statements, the last one's answer. */
export async function ask(client: pg.ClientBase, sql: string, values?: unknown[]): Promise<Answer> {
  const answer = await client.query({ text: sql, rowMode: 'array', ...(values && { values }) });
  const last = (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryArrayResult;
  return {
    columns: last.fields.map((field) => field.name),
    rows: last.rows,
    command: last.command ?? '',
    count: last.rowCount ?? 0,
  };
}

/** The rows as objects, the way a program reads them. */
export function asObjects({ columns, rows }: Answer): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, column) => [name, row[column]])));
}

/**
 * Dates, times, ranges and big numbers stay the text PostgreSQL wrote, since JavaScript would turn a date
 * into an instant of its own time zone; booleans, small integers, floats and JSON become values.
 */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  const { BOOL, INT2, INT4, OID, FLOAT4, FLOAT8, JSON, JSONB } = pg.types.builtins;
  const parsed: number[] = [BOOL, INT2, INT4, OID, FLOAT4, FLOAT8, JSON, JSONB];
  return parsed.includes(oid) ? pg.types.getTypeParser(oid, format ?? 'text') : (value) => value;
}

import pg from 'pg';
import { durabilitySql } from './environment.ts';

/** A statement as a server sent it, and on which of its connections. */
export interface Statement {
  connection: number;
  text: string;
  values: unknown[];
}

/** What one request did in the database. */
export interface Recording {
  statements: Statement[];
  /** For each transaction, who read and how safe the server is, as asked inside it just before its commit. */
  seen: { role: string; durability: string }[];
}

let recording: Recording | undefined;
const connections: unknown[] = [];

/** Begins to listen to every connection of this process. */
export function record(): void {
  recording = { statements: [], seen: [] };
}

/** Ends listening, and returns what was heard. */
export function recorded(): Recording {
  const heard = recording ?? { statements: [], seen: [] };
  recording = undefined;
  return heard;
}

const query = pg.Client.prototype.query as (this: pg.Client, ...args: any[]) => any;

pg.Client.prototype.query = function (this: pg.Client, ...args: any[]): any {
  if (!recording) return query.apply(this, args);
  const [config, given] = args;
  const text: string = typeof config === 'string' ? config : config.text;
  const values: unknown[] = (typeof config === 'string' ? given : config.values) ?? [];
  if (!connections.includes(this)) connections.push(this);
  const { statements, seen } = recording;
  statements.push({ connection: connections.indexOf(this), text, values });
  if (text.toLowerCase() !== 'commit') return query.apply(this, args);
  const look = `select current_user::text as role, ${durabilitySql} as durability`;
  return query.call(this, look).then((answer: pg.QueryResult) => {
    seen.push(answer.rows[0]);
    return query.apply(this, args);
  });
} as typeof pg.Client.prototype.query;

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client, ClientBase } from 'pg';
import type { Server } from '../cluster/server.ts';
import type { Settings } from '../settings.ts';

/** How bad it is. A notice is worth a look; only the others are problems. */
export type Severity = 'critical' | 'warning' | 'notice';

/** Through whose eyes a check looks. */
export type Reader = 'monitor' | 'administrator' | 'machine';

/** Something that is not as it should be, and the command or statement that mends it. */
export interface Finding {
  problem: string;
  remedy: string;
  /** Where it is not that of the check. */
  severity?: Severity;
}

/** What a check can look at. */
export interface Look {
  /** The hospital, as hospital_monitor. */
  monitor: ClientBase;
  /** The hospital, as the server's administrator: only for the checks that read as one. */
  administrator: Client;
  settings: Settings;
  server: Pick<Server, 'url'>;
}

/** One question, asked of one place. */
export interface Check {
  name: string;
  severity: Severity;
  reads: Reader;
  /** What is found, for docs/checkup.md. */
  finds: string;
  /** It takes long, and is made only when asked for: --thorough. */
  thorough?: true;
  look(through: Look): Promise<Finding[]>;
}

/** The schemas that are ours: `$1` of the queries in sql/. */
export const schemas = ['hospital', 'analytics', 'hospital_private', 'audit', 'warehouse', 'masked', 'staging', 'ops'];

/** The query of a check: sql/<name>.sql answers rows of (problem, remedy), perhaps with a severity. */
export function readQuery(name: string): Promise<string> {
  return readFile(path.join(import.meta.dirname, 'sql', `${name}.sql`), 'utf8');
}

/** Asks such a query. */
export async function ask(client: ClientBase, query: string): Promise<Finding[]> {
  return (await client.query<Finding>(query, query.includes('$1') ? [schemas] : [])).rows;
}

/** A check that is a query. */
export function inSql(
  name: string,
  severity: Severity,
  finds: string,
  reads: 'monitor' | 'administrator' = 'monitor',
): Check {
  return { name, severity, reads, finds, look: async (through) => ask(through[reads], await readQuery(name)) };
}

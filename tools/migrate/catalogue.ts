import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';

/** Schemas that no migration of ours defines. */
const foreignSchemas = ['graphile_migrate', 'graphile_worker', 'statements', 'tap', 'tests'];

interface CatalogueRow {
  kind: string;
  name: string;
  detail: string | null;
  owner: string | null;
  rights: string | null;
  comment: string | null;
}

/**
 * Everything a database defines (schemas, tables, columns, constraints, functions, policies, rights,
 * comments …) as lines of text, in one order: two databases are the same when the lines are.
 */
export async function readCatalogue(client: Client): Promise<string[]> {
  // Without a search path every name is printed with its schema.
  await client.query(`select set_config('search_path', '', false)`);
  const query = await readFile(path.join(import.meta.dirname, 'catalogue.sql'), 'utf8');
  const { rows } = await client.query<CatalogueRow>(query, [foreignSchemas]);
  return rows.flatMap((row) => {
    const subject = `${row.kind} ${row.name}`;
    const definition = (row.detail ?? '')
      .split('\n')
      .map((line, index) => `${subject} [${index}] ${line}`.trimEnd());
    return [
      ...definition,
      ...(row.owner ? [`${subject} owner ${row.owner}`] : []),
      ...(row.rights ? [`${subject} rights ${row.rights}`] : []),
      ...(row.comment ? [`${subject} comment ${row.comment.replaceAll('\n', '\\n')}`] : []),
    ];
  });
}

/** The lines that only one of two catalogues has, with - and + as in a diff. */
export function compareCatalogues(before: readonly string[], after: readonly string[]): string[] {
  const had = new Set(before);
  const has = new Set(after);
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
}

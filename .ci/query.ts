import { readFileSync } from 'node:fs';
import { withClient } from '../tools/database.ts';

/*
 * node .ci/query.ts <file.sql>: runs a file in CHECK_DATABASE_URL and prints the rows of its last statement,
 * one line each. Exit code 1 when there are any: a checker that finds nothing has no rows.
 */
const file = process.argv[2]!;
const rows = await withClient(process.env.CHECK_DATABASE_URL!, async (client) => {
  const answer = await client.query({ text: readFileSync(file, 'utf8'), rowMode: 'array' });
  return (Array.isArray(answer) ? answer.at(-1) : answer).rows as unknown[][];
});
for (const row of rows) console.log(row.join(' | '));
process.exitCode = rows.length > 0 ? 1 : 0;

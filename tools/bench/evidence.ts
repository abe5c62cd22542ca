import type { Client } from 'pg';
import type { Recording, Statement } from './recorder.ts';

/** `4 statements in 1 transaction`, of one request. */
export function countStatements({ statements }: Recording): string {
  const begun = statements.filter(({ text }) => isCalled(text, 'begin')).length;
  return `${statements.length} statements in ${begun} ${begun === 1 ? 'transaction' : 'transactions'}`;
}

/**
 * The plans of what one request read, under its own claims: its transactions are repeated with `explain` before
 * each statement that reads, one connection after another, and rolled back.
 */
export async function explainStatements(authenticator: Client, { statements }: Recording): Promise<string[]> {
  const lines: string[] = [];
  const explained = new Set<string>();
  const connections = [...new Set(statements.map(({ connection }) => connection))];
  for (const connection of connections) {
    for (const statement of statements.filter((each) => each.connection === connection)) {
      // A query per object is the same plan over and over.
      if (explained.has(statement.text)) continue;
      if (isReading(statement.text)) explained.add(statement.text);
      lines.push(...(await repeat(authenticator, statement)));
    }
  }
  return lines;
}

async function repeat(client: Client, { text, values }: Statement): Promise<string[]> {
  if (isCalled(text, 'commit')) {
    await client.query('rollback');
    return [];
  }
  if (!isReading(text)) {
    await client.query(text, values);
    return [];
  }
  const { rows } = await client.query({ text: `explain (analyze, buffers) ${text}`, values, rowMode: 'array' });
  return [...text.trim().split('\n'), ...rows.map(([line]) => `| ${line}`)];
}

function isReading(text: string): boolean {
  return /^\s*(select|with)\b/i.test(text) && !text.includes('set_config');
}

function isCalled(text: string, command: string): boolean {
  return text.trim().toLowerCase().replace(/;$/, '') === command;
}

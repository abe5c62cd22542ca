import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SourceFile } from './files.ts';
import { readRows, type Row } from './read.ts';

/** Copies the lines of a file into its staging table, as text and nothing but text. */
export async function copyFile(
  client: Client,
  path: string,
  file: SourceFile,
  advance: (bytes: number) => void,
): Promise<void> {
  const columns = [...file.required, ...file.optional];
  const target = client.query(
    copyFrom(`copy staging.synthea_${file.name} (line, defect, defective_text, ${columns.join(', ')}) from stdin`),
  );
  const rows = Readable.from(readRows(path, file, advance));
  await pipeline(
    rows,
    async function* (source: AsyncIterable<Row>) {
      for await (const row of source) {
        const cells = [String(row.line), row.defect?.reason, row.defect?.text];
        yield [...cells, ...columns.map((column) => row.values[column])].map(encode).join('\t') + '\n';
      }
    },
    target,
  );
}

const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One cell in COPY's text format. */
function encode(value: string | undefined): string {
  if (value === undefined) return '\\N';
  return value.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character);
}

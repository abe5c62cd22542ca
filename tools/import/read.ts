import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { layoutOf, missingColumns, type Layout, type SourceFile } from './files.ts';
import { readLines } from './lines.ts';

/** One line of a file, as it lands in the staging table. */
export interface Row {
  line: number;
  /** Why the line could not be read, and the line itself. */
  defect?: { reason: string; text: string };
  /** The columns that are there and not empty. */
  values: Record<string, string>;
}

const longestDefect = 2000;

/**
 * Reads the rows of a file. A heading that stands again in the middle (several exports in one file)
 * may be another layout and holds from there on.
 */
export async function* readRows(
  path: string,
  file: SourceFile,
  advance?: (bytes: number) => void,
): AsyncGenerator<Row> {
  let layout: Layout | undefined;
  let width = 0;
  // Every line has its number and its defect in front: quotes are checked before, so that one stray
  // quote cannot swallow the lines after it, and each record is one line.
  const records = Readable.from(numbered(path, advance)).pipe(parse({ relax_column_count: true }));
  for await (const [number, reason, ...cells] of records as AsyncIterable<[string, string, ...string[]]>) {
    const line = Number(number);
    // Lines of data begin with an identifier or a date, headings with a name.
    const heading = reason === '' && /^\D+$/.test(cells[0] ?? '') ? layoutOf(file, cells) : undefined;
    if (heading && missingColumns(file, heading).length === 0) {
      layout = heading;
      width = cells.length;
    } else if (reason !== '' || cells.length !== width) {
      yield { line, defect: defective(reason || 'wrong_column_count', cells.join(',')), values: {} };
    } else {
      yield { line, values: valuesOf(cells, layout ?? new Map()) };
    }
  }
}

/** What is wrong with the heading of a file, in words, or undefined. A file without a line has none. */
export async function problemOfHeading(path: string, file: SourceFile): Promise<string | undefined> {
  const lines = Readable.from(numbered(path));
  const records = lines.pipe(parse({ relax_column_count: true, to: 1 }));
  for await (const [, reason, ...cells] of records as AsyncIterable<[string, string, ...string[]]>) {
    lines.destroy();
    const missing = missingColumns(file, layoutOf(file, cells));
    if (reason === '' && missing.length === 0) return undefined;
    return `the first line is not a heading with ${missing.map((name) => name.toUpperCase()).join(', ')}`;
  }
  return 'it is empty';
}

/** CSV in which each line begins with its number and the reason why it cannot be read, if there is one. */
async function* numbered(path: string, advance?: (bytes: number) => void): AsyncGenerator<string> {
  for await (const { number, text } of readLines(path, advance)) {
    const reason = defectOf(text);
    yield `${number},${reason},${reason === '' ? text : quote(text)}\n`;
  }
}

function defectOf(text: string): string {
  if (/[\uFFFD\0]/.test(text)) return 'wrong_encoding';
  return text.includes('"') && !/^(?:[^",]*|"(?:[^"]|"")*")(?:,(?:[^",]*|"(?:[^"]|"")*"))*$/.test(text)
    ? 'malformed_csv'
    : '';
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** PostgreSQL keeps no NUL in a text. */
function defective(reason: string, text: string): NonNullable<Row['defect']> {
  return { reason, text: text.replaceAll('\0', '\uFFFD').slice(0, longestDefect) };
}

function valuesOf(cells: readonly string[], layout: Layout): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [column, index] of layout) {
    const value = cells[index]?.trim();
    if (value) values[column] = value;
  }
  return values;
}

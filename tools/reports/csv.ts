import type { Column, Row, RowStream } from './read.ts';

/**
 * CSV by RFC 4180: a heading, CRLF, quotes where needed. A spreadsheet takes a text that begins with one of these for
 * a formula and runs it, so such a text gets an apostrophe before it; one that has apostrophes before them gets
 * one more, so that taking one away gives back what stood there. Numbers are numbers, -5 too.
 */
const LOOKS_LIKE_A_FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;

/** Writes batches of rows as they come. */
export async function* csvOf({ columns, batches }: RowStream): AsyncGenerator<string> {
  yield line(columns.map(({ name }) => name));
  for await (const batch of batches) yield batch.map((row) => line(cellsOf(row, columns))).join('');
}

function cellsOf(row: Row, columns: Column[]): string[] {
  return row.map((value, index) => {
    if (value === null) return '';
    return columns[index]!.isNumber || !LOOKS_LIKE_A_FORMULA.test(value) ? value : `'${value}`;
  });
}

function line(cells: string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`;
}

function quoted(cell: string): string {
  return /[",\r\n\t]|^'/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

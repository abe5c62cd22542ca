import type { ClientBase } from 'pg';
import type { ReportKind } from './catalogue.ts';
import { csvOf } from './csv.ts';
import { callsOf, readCharts, readHeading, readRows, type ReportQuestion, type Row, valuesOf } from './read.ts';

/** A printed page is for people: more rows than these nobody reads. */
export const MOST_PRINTED_ROWS = 5_000;

/** The rows are too many to be printed. */
export class TooLong extends Error {}

/** Begins a report as CSV, within a transaction of the reader's; what refuses it has refused it when this returns. */
export async function beginCsv(client: ClientBase, kind: ReportKind, question: ReportQuestion): Promise<AsyncGenerator<string>> {
  // Asked for its refusals: without a live session the rows would be none, and look like an answer.
  await client.query('select from hospital_private.report_heading($1)', [question.department]);
  return csvOf(await readRows(client, callsOf(kind.name).rows, valuesOf(question)));
}

/**
 * Reads all of a printed report, within a transaction of the reader's, and returns what makes the pages, which needs none.
 * @throws TooLong
 */
export async function readPdf(client: ClientBase, kind: ReportKind, question: ReportQuestion): Promise<() => Promise<Buffer>> {
  const heading = await readHeading(client, 'hospital_private.report_heading($1)', [question.department]);
  const { rows: call, figures } = callsOf(kind.name);
  const { columns, batches } = await readRows(client, call, valuesOf(question));
  const rows: Row[] = [];
  for await (const batch of batches) {
    rows.push(...batch);
    if (rows.length > MOST_PRINTED_ROWS) throw new TooLong();
  }
  const charts = await readCharts(client, figures, valuesOf(question));
  const { renderPdf } = await import('./pdf/render.ts');
  return () => renderPdf({ kind, heading, from: question.from, to: question.to, charts, columns, rows });
}

/** What a file is called: its report and days, and nobody's name. */
export function fileNameOf({ name }: ReportKind, { from, to }: ReportQuestion, format: string): string {
  return `${name}-${from}-to-${to}.${format}`;
}

import type { ClientBase } from 'pg';
import { asCaller } from '../../api/transaction.ts';
import { MONTHLY } from '../../reports/catalogue.ts';
import { csvOf } from '../../reports/csv.ts';
import { readCharts, readHeading, readRows, type Row } from '../../reports/read.ts';
import type { Job } from '../job.ts';

const hour = 60 * 60_000;

/**
 * Makes the reports of every month that is over and has none. Daily, at an hour when it is the same day everywhere but
 * on a few islands: on the first of the month there is work, on other days there is what was missed.
 */
export const makeMonthlyReports: Job = {
  name: 'make_monthly_reports',
  schedule: '40 12 * * *',
  catchUp: 24 * hour,
  maxAttempts: 5,
  // Each in one snapshot and a transaction of its own, so that a worker that dies has not worked for nothing.
  work: async (client, { pool, signal }) => {
    // Another worker that is at it needs no help.
    const lock = await client.query(`select pg_try_advisory_xact_lock(hashtext('ops.reports'), 0) as is_ours`);
    if (!lock.rows[0].is_ours) return 0;
    const due = await client.query<{ report: string; month: string }>(
      'select d.report, d.month::text from ops.reports_due() as d',
    );
    let kept = 0;
    for (const { report, month } of due.rows) {
      signal?.throwIfAborted();
      const make = (own: ClientBase): Promise<number> => makeReport(own, report, month);
      kept += await asCaller(pool, {}, make, 'begin isolation level repeatable read');
    }
    return kept;
  },
};

async function makeReport(client: ClientBase, report: string, month: string): Promise<number> {
  const kind = MONTHLY.find(({ name }) => name === report)!;
  const heading = await readHeading(client, 'ops.monthly_heading()', []);
  const { columns, batches } = await readRows(client, `ops.monthly_${kind.name}($1::date)`, [month]);
  const rows: Row[] = [];
  for await (const batch of batches) rows.push(...batch);
  const charts = await readCharts(client, `ops.monthly_${kind.name}_figures($1::date)`, [month]);

  async function* again(): AsyncGenerator<Row[]> {
    yield rows;
  }
  let csv = '';
  for await (const lines of csvOf({ columns, batches: again() })) csv += lines;
  const { renderPdf } = await import('../../reports/pdf/render.ts');
  const pdf = await renderPdf({ kind, heading, from: month, to: lastDayOf(month), charts, columns, rows });

  const { rows: kept } = await client.query<{ count: string }>(
    `select ops.keep_report($1, $2, 'csv', $3) + ops.keep_report($1, $2, 'pdf', $4) as count`,
    [report, month, Buffer.from(csv), pdf],
  );
  return Number(kept[0]!.count);
}

function lastDayOf(month: string): string {
  const day = new Date(`${month}T00:00:00Z`);
  day.setUTCMonth(day.getUTCMonth() + 1, 0);
  return day.toISOString().slice(0, 10);
}

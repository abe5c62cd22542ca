import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { NOT_YET, REPORTS } from '../reports/catalogue.ts';
import { beginCsv, fileNameOf, readPdf, TooLong } from '../reports/make.ts';
import { ONE_MOMENT, type ReportQuestion } from '../reports/read.ts';
import { describeError, refusal } from './errors.ts';
import { isSameOrigin, sendError, sendJson } from './http.ts';
import type { Identity } from './identity.ts';
import { asCaller } from './transaction.ts';

/**
 * Reports as files, for the caller and under his own policies, in one snapshot:
 *
 *   GET /reports/<name>.csv|.pdf?from=2026-10-01&to=2026-10-31[&department=7]
 *   GET /reports/monthly                                       what is kept of past months, as JSON
 *   GET /reports/monthly/<name>-2026-10.csv|.pdf
 */
export interface ReportsOptions {
  pool: Pool;
  /** How many reports are made at once, one for each session; the rest are refused. */
  atOnce: number;
  /** Milliseconds that a client may take to receive one. */
  patience: number;
}

type Format = 'csv' | 'pdf';
const TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  pdf: 'application/pdf',
};
const REPORT = /^\/reports\/([a-z]+)\.(csv|pdf)$/;
const KEPT = /^\/reports\/monthly\/([a-z]+)-(\d{4}-\d{2})\.(csv|pdf)$/;
const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_OPEN: 403,
  ORIGIN_REFUSED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  TOO_MANY_REPORTS: 429,
  INTERNAL_ERROR: 500,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
};

export function isReportPath(path: string): boolean {
  return path === '/reports/monthly' || REPORT.test(path) || KEPT.test(path);
}

/** Answers requests to the paths above; `identify` says who asks, or throws. */
export function makeReports(
  options: ReportsOptions,
): (req: IncomingMessage, res: ServerResponse, identify: () => Identity) => Promise<void> {
  const running = new Set<string>();
  return async (req, res, identify) => {
    try {
      if (!isSameOrigin(req)) throw refusal('ORIGIN_REFUSED');
      if (req.method !== 'GET') {
        res.setHeader('Allow', 'GET');
        throw refusal('METHOD_NOT_ALLOWED');
      }
      const { claims } = identify();
      if (claims['role'] === 'hospital_anonymous') throw refusal('UNAUTHENTICATED');
      const session = claims['infirmary.session_id']!;
      // Whoever takes his time takes it from himself first.
      if (running.has(session) || running.size >= options.atOnce) {
        res.setHeader('Retry-After', '5');
        throw refusal('TOO_MANY_REPORTS');
      }
      running.add(session);
      let finish: () => void;
      try {
        finish = await answer(new URL(req.url!, 'http://localhost'), res, claims, options);
      } finally {
        running.delete(session);
      }
      // Last, so that whoever has his report may ask for the next.
      finish();
    } catch (error) {
      // What has begun cannot become an error any more: it breaks off, and does not look finished.
      if (res.headersSent) return void res.destroy();
      const answer = describeError(error instanceof TooLong ? refusal('REPORT_TOO_LONG') : error);
      sendError(res, STATUS[answer.code] ?? 400, answer);
    }
  };
}

/** Makes what is asked for and returns what ends the answer. */
async function answer(
  { pathname, searchParams }: URL,
  res: ServerResponse,
  claims: Identity['claims'],
  { pool, patience }: ReportsOptions,
): Promise<() => void> {
  const [, name = '', format] = REPORT.exec(pathname) ?? [];
  if (format === undefined) return answerKept(pathname, searchParams, res, claims, pool);
  const kind = REPORTS.find((report) => report.name === name);
  if (!kind) throw refusal('NOT_FOUND', NOT_YET[name]);
  const question = questionOf(searchParams);
  const begin = (length?: number): void => sendHead(res, format as Format, fileNameOf(kind, question, format), length);

  if (format === 'csv') {
    await asCaller(
      pool,
      claims,
      async (client) => {
        const csv = await beginCsv(client, kind, question);
        begin();
        await pass(csv, res, patience);
      },
      ONE_MOMENT,
    );
    return () => res.end();
  }
  const render = await asCaller(pool, claims, (client) => readPdf(client, kind, question), ONE_MOMENT);
  const pdf = await render();
  return () => {
    begin(pdf.length);
    res.end(pdf);
  };
}

async function answerKept(
  pathname: string,
  searchParams: URLSearchParams,
  res: ServerResponse,
  claims: Identity['claims'],
  pool: Pool,
): Promise<() => void> {
  if (searchParams.size > 0) throw refusal('BAD_REQUEST');
  const [, name, month, format] = KEPT.exec(pathname) ?? [];
  if (format === undefined) {
    const list = `select
        k.report,
        to_char(k.month, 'YYYY-MM') as month,
        k.format,
        k.bytes,
        k.data_as_of as "dataAsOf",
        format('/reports/monthly/%s-%s.%s', k.report, to_char(k.month, 'YYYY-MM'), k.format) as path
      from hospital_private.kept_reports() as k`;
    const { rows } = await asCaller(pool, claims, (client) => client.query(list), ONE_MOMENT);
    return () => sendJson(res, 200, { reports: rows });
  }
  const { rows } = await asCaller(
    pool,
    claims,
    (client) =>
      client.query('select hospital_private.kept_report_content($1, $2::date, $3) as content', [name, `${month}-01`, format]),
    ONE_MOMENT,
  );
  const { content } = rows[0] as { content: Buffer };
  return () => {
    sendHead(res, format as Format, `${name}-${month}.${format}`, content.length);
    res.end(content);
  };
}

/** Writes no faster than the client reads, for so many milliseconds and as long as he is there. */
async function pass(csv: AsyncIterable<string>, res: ServerResponse, patience: number): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(patience)]);
  for await (const text of csv) {
    signal.throwIfAborted();
    if (!res.write(text)) await once(res, 'drain', { signal });
  }
}

function questionOf(searchParams: URLSearchParams): ReportQuestion {
  const given = Object.fromEntries(searchParams);
  const known = ['from', 'to', 'department'];
  const isPlain = Object.keys(given).every((name) => known.includes(name)) && searchParams.size === Object.keys(given).length;
  const { from = '', to = '', department = null } = given;
  const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text);
  if (!isPlain || !isDay(from) || !isDay(to) || !/^\d{1,18}$/.test(department ?? '0')) throw refusal('BAD_REQUEST');
  return { from, to, department };
}

function sendHead(res: ServerResponse, format: Format, fileName: string, length?: number): void {
  res.writeHead(200, {
    'Content-Type': TYPES[format],
    'Content-Disposition': `attachment; filename="${fileName}"`,
    ...(length !== undefined && { 'Content-Length': length }),
  });
}

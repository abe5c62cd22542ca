import type { ClientBase } from 'pg';

/** Days of the facility's calendar, the last included, and a department's key. */
export interface ReportQuestion {
  from: string;
  to: string;
  department: string | null;
}

export interface Column {
  name: string;
  /** Numbers stand to the right, and are never a formula. */
  isNumber: boolean;
}

export interface Heading {
  hospital: string;
  department: string | null;
  askedBy: string;
  asOf: string;
}

export interface Chart {
  title: string;
  style: 'bars' | 'line';
  points: { label: string; figure: number }[];
}

export type Row = (string | null)[];

/** Rows as they come from a cursor: the columns are known with the first batch, which is read before this is returned. */
export interface RowStream {
  columns: Column[];
  batches: AsyncGenerator<Row[]>;
}

const BATCH = 500;

/** Every value as PostgreSQL writes it: a date is a date, whatever zone this process is in. */
const asText = { getTypeParser: () => (value: string) => value };
const NUMBERS = new Set([20, 21, 23, 700, 701, 1700]);

/** Begins a transaction that sees one moment and changes nothing; every report is read in one. */
export const ONE_MOMENT = 'begin isolation level repeatable read read only';

/**
 * Reads rows through a cursor, so that a long report is never held whole.
 * @param call the function, from this project, never from a client
 */
export async function readRows(client: ClientBase, call: string, values: unknown[]): Promise<RowStream> {
  await client.query({ text: `declare report no scroll cursor for select r.* from ${call} as r`, values });
  const fetch = async (): Promise<{ rows: Row[]; columns: Column[] }> => {
    const { rows, fields } = await client.query({ text: `fetch ${BATCH} from report`, rowMode: 'array', types: asText });
    const columns = fields.map(({ name, dataTypeID }) => ({ name, isNumber: NUMBERS.has(dataTypeID) }));
    return { rows: rows as Row[], columns };
  };
  const first = await fetch();
  async function* batches(): AsyncGenerator<Row[]> {
    for (let { rows } = first; rows.length > 0; ) {
      yield rows;
      rows = rows.length < BATCH ? [] : (await fetch()).rows;
    }
    await client.query('close report');
  }
  return { columns: first.columns, batches: batches() };
}

/** Reads what stands on the first page. */
export async function readHeading(client: ClientBase, call: string, values: unknown[]): Promise<Heading> {
  const { rows } = await client.query<Heading>(
    `select
       h.hospital,
       h.department,
       h.asked_by as "askedBy",
       to_char(h.as_of at time zone h.time_zone, 'FMDD Month YYYY, HH24:MI') || ' ' || h.time_zone as "asOf"
     from ${call} as h`,
    values,
  );
  const heading = rows[0]!;
  return { ...heading, hospital: heading.hospital ?? 'Infirmary', asOf: heading.asOf.replace(/ +/g, ' ') };
}

/** Reads what is drawn, chart by chart in the order in which they are to stand. */
export async function readCharts(client: ClientBase, call: string, values: unknown[]): Promise<Chart[]> {
  const { rows } = await client.query<{ chart: string; style: Chart['style']; label: string | null; figure: string }>(
    `select f.chart, f.style, f.label, f.figure from ${call} as f`,
    values,
  );
  const charts = new Map<string, Chart>();
  for (const { chart: title, style, label, figure } of rows) {
    if (!charts.has(title)) charts.set(title, { title, style, points: [] });
    charts.get(title)!.points.push({ label: label ?? '–', figure: Number(figure) });
  }
  return [...charts.values()];
}

const ARGUMENTS = '($1::date, $2::date + 1, $3::bigint)';

/** The calls of a report that is asked for; `name` is one of the catalogue. */
export function callsOf(name: string): { rows: string; figures: string } {
  return {
    rows: `hospital_private.report_${name}${ARGUMENTS}`,
    figures: `hospital_private.report_${name}_figures${ARGUMENTS}`,
  };
}

/** The arguments of those calls. */
export function valuesOf({ from, to, department }: ReportQuestion): unknown[] {
  return [from, to, department];
}

import type { ReportKind } from '../catalogue.ts';
import type { Chart, Column, Heading, Row } from '../read.ts';
import { drawChart, heightOf } from './chart.ts';
import { type Doc, floorOf, GREY, grouped, INK, MARGIN, openDocument, rule, widthOf, wrap, write } from './sheet.ts';
import { drawTable } from './table.ts';

/** Everything that a printed report says. */
export interface Printed {
  kind: ReportKind;
  heading: Heading;
  /** The first day and the last, as YYYY-MM-DD. */
  from: string;
  to: string;
  charts: Chart[];
  columns: Column[];
  rows: Row[];
}

/** A table that begins on a page has some rows there. */
const ROOM_TO_BEGIN = 120;

const CONFIDENTIAL = 'Confidential. Keep it where no one else reads it, and destroy it when it has served.';

/** Makes the pages: a title page, the charts, and the rows. */
export async function renderPdf(printed: Printed): Promise<Buffer> {
  const { kind, heading, charts, columns, rows } = printed;
  const { doc, done } = openDocument(`${kind.title}, ${periodOf(printed)}`);
  doc.addPage({ size: 'A4', margin: 0 });
  let y = drawTitle(doc, printed);
  const drawn = charts.filter(({ points }) => points.some(({ figure }) => figure !== 0));
  for (const chart of drawn) {
    let height = heightOf(chart, floorOf(doc) - y);
    if (height === undefined) {
      y = newPage(doc, printed);
      height = heightOf(chart, floorOf(doc) - y)!;
    }
    drawChart(doc, chart, y, floorOf(doc) - y);
    y += height;
  }
  if (rows.length > 0) {
    // Many columns are read more easily on a page that lies on its side; few may begin where the charts end.
    const layout = columns.length > 7 ? 'landscape' : 'portrait';
    const beginsHere = layout === 'portrait' && y + ROOM_TO_BEGIN < floorOf(doc);
    await drawTable(doc, columns, rows, beginsHere ? y + 4 : newPage(doc, printed, layout), () => newPage(doc, printed, layout));
  } else {
    write(doc, 'There is nothing to report in this period.', MARGIN, y, { size: 11 });
  }
  numberPages(doc, heading);
  doc.end();
  return done;
}

/** Days as people write them; the year once where it is the same. */
export function periodOf({ from, to }: Pick<Printed, 'from' | 'to'>): string {
  const told = (day: string, year: boolean): string =>
    new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', {
      day: 'numeric',
      month: 'long',
      ...(year && { year: 'numeric' }),
      timeZone: 'UTC',
    });
  if (from === to) return told(from, true);
  return `${told(from, from.slice(0, 4) !== to.slice(0, 4))} to ${told(to, true)}`;
}

/** Returns where the first chart may begin. The number of pages is not known yet: its place is kept. */
function drawTitle(doc: Doc, printed: Printed): number {
  const { kind, heading, rows } = printed;
  const width = widthOf(doc);
  doc.font('bold').fontSize(10);
  let y = MARGIN + 12;
  for (const line of wrap(doc, heading.hospital, width, 3)) {
    write(doc, line, MARGIN, y, { face: 'bold', size: 10, colour: GREY });
    y += 14;
  }
  rule(doc, MARGIN, y + 6, width, INK, 1.2);
  write(doc, kind.title, MARGIN, y + 24, { face: 'bold', size: 28 });
  write(doc, periodOf(printed), MARGIN, y + 62, { size: 15, colour: GREY });
  y += 104;
  const facts: [name: string, value: string][] = [
    ...(heading.department ? [['Department', heading.department] as [string, string]] : []),
    ['For', heading.askedBy],
    ['Data as of', heading.asOf],
    ['Rows', grouped(String(rows.length))],
    ['Pages', ''],
  ];
  for (const [name, value] of facts) {
    write(doc, name, MARGIN, y, { size: 10, colour: GREY });
    doc.font('regular').fontSize(10);
    for (const line of wrap(doc, value, width - 90, 2)) {
      write(doc, line, MARGIN + 90, y, { size: 10 });
      y += 15;
    }
  }
  pagesAt.set(doc, y - 15);
  y += 8;
  doc.font('regular').fontSize(9.5);
  for (const line of wrap(doc, kind.note, width, 4)) {
    write(doc, line, MARGIN, y, { size: 9.5, colour: GREY });
    y += 13;
  }
  rule(doc, MARGIN, y + 8, width);
  return y + 28;
}

const pagesAt = new WeakMap<Doc, number>();

/** Adds a page under its running head and returns where content begins. */
function newPage(doc: Doc, printed: Printed, layout: 'portrait' | 'landscape' = 'portrait'): number {
  doc.addPage({ size: 'A4', margin: 0, layout });
  write(doc, printed.kind.title, MARGIN, MARGIN - 14, { face: 'bold', size: 9 });
  write(doc, periodOf(printed), MARGIN + widthOf(doc), MARGIN - 14, { size: 9, colour: GREY, align: 'right' });
  rule(doc, MARGIN, MARGIN, widthOf(doc));
  return MARGIN + 14;
}

function numberPages(doc: Doc, heading: Heading): void {
  const { count } = doc.bufferedPageRange();
  for (let page = 0; page < count; page += 1) {
    doc.switchToPage(page);
    const y = doc.page.height - MARGIN;
    rule(doc, MARGIN, y - 8, widthOf(doc));
    write(doc, `${CONFIDENTIAL} For ${heading.askedBy}.`, MARGIN, y - 2, { size: 7.5, colour: GREY });
    write(doc, `${page + 1} of ${count}`, MARGIN + widthOf(doc), y - 2, { size: 8.5, align: 'right' });
  }
  doc.switchToPage(0);
  write(doc, grouped(String(count)), MARGIN + 90, pagesAt.get(doc)!, { size: 10 });
}

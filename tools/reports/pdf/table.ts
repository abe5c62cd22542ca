import { setImmediate as breathe } from 'node:timers/promises';
import type { Column, Row } from '../read.ts';
import { type Doc, floorOf, grouped, INK, MARGIN, measure, rule, SHADE, widthOf, wrap, write } from './sheet.ts';

const SIZE = 8.5;
const LEADING = 11.5;
const PADDING = 3;
const GAP = 12;
/** A cell that needs more lines than these is cut: the CSV has it all. */
const MOST_LINES = 4;
/** The widths are those of the longest cells among so many rows; what is longer wraps. */
const SAMPLE = 400;

interface Layout {
  columns: Column[];
  widths: number[];
  /** The left edge of each column, or the right one where numbers stand. */
  edges: number[];
}

/** Draws all rows from `top` on as many pages as they take, the headings on each; `newPage` adds one and returns its top. */
export async function drawTable(doc: Doc, columns: Column[], rows: Row[], top: number, newPage: () => number): Promise<void> {
  const layout = layOut(doc, columns, rows);
  const begin = (): number => drawHeadings(doc, layout, newPage());
  let y = drawHeadings(doc, layout, top);
  for (const [index, row] of rows.entries()) {
    const cells = row.map((value, column) => cellLines(doc, layout, value, column));
    const height = Math.max(...cells.map((lines) => lines.length)) * LEADING + 2 * PADDING;
    if (y + height > floorOf(doc)) {
      // A long report is not the only thing this process has to do.
      await breathe();
      y = begin();
    }
    if (index % 2 === 1) doc.rect(MARGIN - 4, y, widthOf(doc) + 8, height).fillColor(SHADE).fill();
    cells.forEach((lines, column) =>
      lines.forEach((text, line) =>
        write(doc, text, layout.edges[column]!, y + PADDING + line * LEADING, { size: SIZE, align: alignOf(columns[column]!) }),
      ),
    );
    y += height;
  }
  drawTotals(doc, layout, rows, y, begin);
}

/** The heading of a column, as a person would write it. */
export function titleOf({ name }: Column): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function layOut(doc: Doc, columns: Column[], rows: Row[]): Layout {
  const room = widthOf(doc) - GAP * (columns.length - 1);
  const natural = columns.map((column, index) => {
    doc.font('bold').fontSize(SIZE);
    const heading = Math.max(...titleOf(column).split(' ').map((word) => measure(doc, word)));
    doc.font('regular').fontSize(SIZE);
    const cells = rows.slice(0, SAMPLE).map((row) => measure(doc, textOf(row[index] ?? null, column)));
    return { heading: heading + 1, whole: Math.max(heading, ...cells) + 1, isNumber: column.isNumber };
  });
  const wanted = natural.reduce((sum, { whole }) => sum + whole, 0);
  let widths = natural.map(({ whole }) => whole);
  if (wanted > room) {
    // Numbers and headings keep their width; the texts share what is left, the longest giving most.
    let excess = wanted - room;
    while (excess > 0.5) {
      const widest = Math.max(...widths.filter((width, i) => !natural[i]!.isNumber && width > natural[i]!.heading));
      if (!Number.isFinite(widest)) break;
      const index = widths.findIndex((width, i) => width === widest && !natural[i]!.isNumber);
      const give = Math.min(4, excess, widest - natural[index]!.heading);
      widths[index]! -= give;
      excess -= give;
    }
  } else {
    const spare = (room - wanted) / columns.length;
    widths = widths.map((width) => width + spare);
  }
  let x = MARGIN;
  const edges = widths.map((width, index) => {
    const edge = columns[index]!.isNumber ? x + width : x;
    x += width + GAP;
    return edge;
  });
  return { columns, widths, edges };
}

function drawHeadings(doc: Doc, { columns, widths, edges }: Layout, y: number): number {
  doc.font('bold').fontSize(SIZE);
  const headings = columns.map((column, index) => wrap(doc, titleOf(column), widths[index]!));
  const lines = Math.max(...headings.map((heading) => heading.length));
  headings.forEach((heading, column) =>
    heading.forEach((text, line) =>
      write(doc, text, edges[column]!, y + (lines - heading.length + line) * LEADING, {
        face: 'bold',
        size: SIZE,
        align: alignOf(columns[column]!),
      }),
    ),
  );
  const bottom = y + lines * LEADING + PADDING;
  rule(doc, MARGIN - 4, bottom, widthOf(doc) + 8, INK, 0.8);
  return bottom + 1;
}

function drawTotals(doc: Doc, { columns, edges }: Layout, rows: Row[], y: number, begin: () => number): void {
  const height = LEADING + 2 * PADDING + 8;
  if (y + height > floorOf(doc)) y = begin();
  rule(doc, MARGIN - 4, y + 1, widthOf(doc) + 8, INK, 0.8);
  const count = `${grouped(String(rows.length))} ${rows.length === 1 ? 'row' : 'rows'}`;
  if (!columns[0]!.isNumber) write(doc, count, MARGIN, y + PADDING + 3, { face: 'bold', size: SIZE });
  columns.forEach((column, index) => {
    if (!isAddedUp(column) || rows.length === 0) return;
    write(doc, grouped(sumOf(rows, index)), edges[index]!, y + PADDING + 3, { face: 'bold', size: SIZE, align: 'right' });
  });
}

/** Keys and ranks have no sum that says anything. */
function isAddedUp({ name, isNumber }: Column): boolean {
  return isNumber && !/(^|_)(id|rank)$/.test(name);
}

/** Adds decimals as they are written, to the last digit. */
export function sumOf(rows: Row[], column: number): string {
  const digits = Math.max(...rows.map((row) => (row[column] ?? '').split('.')[1]?.length ?? 0));
  const sum = rows.reduce((total, row) => {
    const [whole = '0', fraction = ''] = (row[column] ?? '0').split('.');
    return total + BigInt(whole + fraction.padEnd(digits, '0'));
  }, 0n);
  if (digits === 0) return String(sum);
  const text = String(sum < 0n ? -sum : sum).padStart(digits + 1, '0');
  return `${sum < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function cellLines(doc: Doc, { columns, widths }: Layout, value: string | null, column: number): string[] {
  doc.font('regular').fontSize(SIZE);
  return wrap(doc, textOf(value, columns[column]!), widths[column]! + 0.5, MOST_LINES);
}

function textOf(value: string | null, { isNumber, name }: Column): string {
  if (value === null) return '–';
  return isNumber && !/(^|_)id$/.test(name) ? grouped(value) : value.replaceAll('\t', ' ');
}

function alignOf({ isNumber }: Column): 'left' | 'right' {
  return isNumber ? 'right' : 'left';
}

import type { Chart } from '../read.ts';
import { BAR, type Doc, GREY, grouped, HAIR, INK, MARGIN, measure, rule, shorten, widthOf, write } from './sheet.ts';

const TITLE = 22;
const LINE_HEIGHT = 150;
const BAR_PITCH = 17;
/** More bars than these are one bar of the others. */
const MOST_BARS = 14;

/** How high a chart stands on the page. */
export function heightOf(chart: Chart): number {
  return TITLE + (chart.style === 'line' ? LINE_HEIGHT : Math.min(chart.points.length, MOST_BARS) * BAR_PITCH) + 20;
}

/** Draws a chart with its top at `y`, over the width of the page. */
export function drawChart(doc: Doc, chart: Chart, y: number): void {
  write(doc, chart.title, MARGIN, y, { face: 'bold', size: 11 });
  if (chart.style === 'line') drawLine(doc, chart, y + TITLE);
  else drawBars(doc, chart, y + TITLE);
}

function drawBars(doc: Doc, { points }: Chart, top: number): void {
  const shown = points.length <= MOST_BARS ? points : points.slice(0, MOST_BARS - 1);
  const rest = points.slice(shown.length);
  const others = { label: `${rest.length} others`, figure: rest.reduce((sum, { figure }) => sum + figure, 0) };
  const bars = rest.length > 0 ? [...shown, others] : shown;

  doc.font('regular').fontSize(9);
  const labelWidth = Math.min(
    widthOf(doc) * 0.4,
    Math.max(...bars.map(({ label }) => measure(doc, label))) + 2,
  );
  const figureWidth = Math.max(...bars.map(({ figure }) => measure(doc, figureOf(figure)))) + 6;
  const left = MARGIN + labelWidth + 8;
  const room = widthOf(doc) - labelWidth - 8 - figureWidth;
  // The others may be more than the longest of those shown.
  const most = Math.max(...bars.map(({ figure }) => figure), 1);
  bars.forEach(({ label, figure }, index) => {
    const y = top + index * BAR_PITCH;
    const length = (Math.max(figure, 0) / most) * room;
    doc.font('regular').fontSize(9);
    write(doc, shorten(doc, label, labelWidth), MARGIN, y + 1.5);
    doc.rect(left, y + 1.5, Math.max(length, 0.5), BAR_PITCH - 6);
    // What is many things is hollow.
    if (rest.length > 0 && index === bars.length - 1) doc.lineWidth(0.7).strokeColor(BAR).stroke();
    else doc.fillColor(BAR).fill();
    write(doc, figureOf(figure), left + length + 5, y + 1.5);
  });
  doc.moveTo(left, top - 2).lineTo(left, top + bars.length * BAR_PITCH).lineWidth(0.7).strokeColor(INK).stroke();
}

function drawLine(doc: Doc, { points }: Chart, top: number): void {
  const ticks = ticksFor(Math.max(...points.map(({ figure }) => figure), 1));
  doc.font('regular').fontSize(8);
  const left = MARGIN + Math.max(...ticks.map((tick) => measure(doc, figureOf(tick)))) + 8;
  const right = MARGIN + widthOf(doc) - 8;
  const bottom = top + LINE_HEIGHT - 22;
  const highest = ticks.at(-1)!;
  const x = (index: number): number =>
    points.length === 1 ? (left + right) / 2 : left + 8 + (index / (points.length - 1)) * (right - left - 16);
  const y = (figure: number): number => bottom - (figure / highest) * (bottom - top - 8);

  for (const tick of ticks) {
    rule(doc, left, y(tick), right - left, tick === 0 ? INK : HAIR, tick === 0 ? 0.7 : 0.4);
    write(doc, figureOf(tick), left - 6, y(tick) - 5, { size: 8, colour: GREY, align: 'right' });
  }
  points.forEach(({ figure }, index) =>
    index === 0 ? doc.moveTo(x(index), y(figure)) : doc.lineTo(x(index), y(figure)),
  );
  doc.lineWidth(1.3).lineJoin('round').strokeColor(INK).stroke();
  for (const [index, { figure }] of points.entries()) doc.circle(x(index), y(figure), 1.8).fillColor(INK).fill();

  doc.font('regular').fontSize(8);
  const widest = Math.max(...points.map(({ label }) => measure(doc, label))) + 10;
  const every = Math.max(1, Math.ceil((points.length * widest) / (right - left)));
  points.forEach(({ label }, index) => {
    if (index % every !== 0) return;
    const at = x(index);
    doc.moveTo(at, bottom).lineTo(at, bottom + 3).lineWidth(0.5).strokeColor(INK).stroke();
    doc.font('regular').fontSize(8);
    const middle = Math.min(at - measure(doc, label) / 2, right + 8 - measure(doc, label));
    write(doc, label, middle, bottom + 5, { size: 8, colour: GREY });
  });
}

/** Round numbers from nothing to beyond the highest, four or five of them. */
function ticksFor(most: number): number[] {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough)!);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

function figureOf(figure: number): string {
  return grouped(Number.isInteger(figure) ? String(figure) : figure.toFixed(2));
}

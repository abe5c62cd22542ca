import type { Chart } from '../read.ts';
import { BAR, type Doc, GREY, grouped, HAIR, INK, MARGIN, measure, rule, shorten, widthOf, write } from './sheet.ts';

const TITLE = 22;
const LINE_HEIGHT = 150;
const BAR_PITCH = 17;
/** More bars than these are one bar of the others; fewer are not worth drawing. */
const MOST_BARS = 14;
const FEWEST_BARS = 6;

/** How high a chart will stand, where there is so much room; undefined where it does not fit. */
export function heightOf(chart: Chart, room: number): number | undefined {
  const height = TITLE + (chart.style === 'line' ? LINE_HEIGHT : barsFor(chart, room) * BAR_PITCH) + 20;
  return height <= room ? height : undefined;
}

/** Draws a chart with its top at `y`, over the width of the page. */
export function drawChart(doc: Doc, chart: Chart, y: number, room: number): void {
  write(doc, chart.title, MARGIN, y, { face: 'bold', size: 11 });
  if (chart.style === 'line') drawLine(doc, chart, y + TITLE);
  else drawBars(doc, chart, y + TITLE, barsFor(chart, room));
}

function barsFor({ points }: Chart, room: number): number {
  const fitting = Math.floor((room - TITLE - 20) / BAR_PITCH);
  return Math.min(points.length, MOST_BARS, Math.max(fitting, FEWEST_BARS));
}

function drawBars(doc: Doc, { points }: Chart, top: number, most: number): void {
  const shown = points.length <= most ? points : points.slice(0, most - 1);
  const rest = points.slice(shown.length);
  const others = { label: `${rest.length} others`, figure: rest.reduce((sum, { figure }) => sum + figure, 0) };
  const bars = rest.length > 0 ? [...shown, others] : shown;

  doc.font('regular').fontSize(9);
  const labelWidth = Math.min(
    widthOf(doc) * 0.45,
    Math.max(...bars.map(({ label }) => measure(doc, label))) + 2,
  );
  const figureWidth = Math.max(...bars.map(({ figure }) => measure(doc, figureOf(figure)))) + 6;
  const left = MARGIN + labelWidth + 8;
  const width = widthOf(doc) - labelWidth - 8 - figureWidth;
  // The others may be more than the longest of those shown.
  const longest = Math.max(...bars.map(({ figure }) => figure), 1);
  bars.forEach(({ label, figure }, index) => {
    const y = top + index * BAR_PITCH;
    const length = (Math.max(figure, 0) / longest) * width;
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

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import PDFDocument from 'pdfkit';
import { REPORTS } from '../../tools/reports/catalogue.ts';
import { drawChart, heightOf } from '../../tools/reports/pdf/chart.ts';
import { periodOf, renderPdf } from '../../tools/reports/pdf/render.ts';
import { grouped, openDocument, shorten, wrap } from '../../tools/reports/pdf/sheet.ts';
import { sumOf, titleOf } from '../../tools/reports/pdf/table.ts';
import type { Chart, Column, Row } from '../../tools/reports/read.ts';

const heading = { hospital: 'Harbor Hospital', department: null, askedBy: 'Ελένη Παπαδοπούλου, doctor', asOf: '1 November 2026, 09:00 UTC' };
const columns: Column[] = ['department', 'doctor', 'minutes'].map((name) => ({ name, isNumber: name === 'minutes' }));
const print = async (rows: Row[], charts: Chart[] = []): Promise<string> =>
  (await renderPdf({ kind: REPORTS[0]!, heading, from: '2026-10-01', to: '2026-10-31', charts, columns, rows })).toString('latin1');
const pagesOf = (pdf: string): number => pdf.match(/\/Type \/Page\b/g)!.length;

describe('a printed report', () => {
  test('has a title page also when there is nothing to report, and as many pages as its rows take', async () => {
    assert.equal(pagesOf(await print([])), 1);
    assert.equal(pagesOf(await print([['Cardiology', 'Дмитрий Шостакович', '30']])), 1);
    const many = Array.from({ length: 200 }, () => ['Cardiology', 'Żółć Gęślą', '30']);
    const long = pagesOf(await print(many));
    assert.ok(long >= 5 && long <= 7, String(long));
    // A cell that needs several lines is not drawn over the next.
    const tall = many.map(([, ...rest]) => ['Accident and Emergency '.repeat(9), ...rest]);
    assert.ok(pagesOf(await print(tall)) > long);
  });

  test('carries its fonts, and names report and days but nobody', async () => {
    const pdf = await print([['Cardiology', 'Żółć Gęślą', '30']]);
    assert.equal(pdf.match(/\/FontFile2/g)!.length, 2);
    assert.ok(pdf.includes('(Appointments, 1 October to 31 October 2026)'));
    assert.ok(!/\/Author|Cardiology|Harbor/.test(pdf));
  });

  test('has a sign for every letter of Latin, Greek and Cyrillic', () => {
    const doc = new PDFDocument({ autoFirstPage: false });
    const file = import.meta.resolve('@expo-google-fonts/source-sans-3/400Regular/SourceSans3_400Regular.ttf');
    const font = (doc.font(fileURLToPath(file)) as any)._font.font;
    const missing = (from: number, to: number): string[] =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index)
        .filter((point) => /\p{L}/u.test(String.fromCodePoint(point)) && !font.hasGlyphForCodePoint(point))
        .map((point) => String.fromCodePoint(point));
    assert.deepEqual(missing(0x41, 0x17f), []);
    assert.deepEqual(missing(0x386, 0x3ce), []);
    assert.deepEqual(missing(0x400, 0x45f), []);
  });

  test('adds up to the last digit, and groups the digits of what it adds', () => {
    const rows = [['0.10'], ['0.20'], [null], ['90071992547409.91'], ['-0.01']];
    assert.equal(sumOf(rows, 0), '90071992547410.20');
    assert.equal(sumOf([['-0.30'], ['0.10']], 0), '-0.20');
    assert.equal(sumOf([['7'], ['8']], 0), '15');
    assert.equal(grouped('90071992547410.20'), '90,071,992,547,410.20');
    assert.equal(grouped('-1234'), '-1,234');
    assert.equal(grouped('999'), '999');
    assert.equal(titleOf({ name: 'record_number', isNumber: false }), 'Record number');
  });

  test('tells its days in words', () => {
    assert.equal(periodOf({ from: '2026-10-01', to: '2026-10-01' }), '1 October 2026');
    assert.equal(periodOf({ from: '2026-10-01', to: '2026-10-31' }), '1 October to 31 October 2026');
    assert.equal(periodOf({ from: '2025-12-30', to: '2026-01-02' }), '30 December 2025 to 2 January 2026');
  });

  test('breaks lines where they fit, and loses nothing but behind an ellipsis', () => {
    const { doc } = openDocument('A test');
    doc.addPage();
    doc.font('regular').fontSize(9);
    const text = 'Accident and Emergency of the Northern Counties, Ελένη Παπαδοπούλου-Шостакович';
    for (const width of [20, 60, 200, 1000]) {
      const lines = wrap(doc, text, width);
      for (const line of lines) assert.ok(doc.widthOfString(line) <= width, line);
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
    }
    assert.deepEqual(wrap(doc, text, 60, 2).length, 2);
    assert.match(shorten(doc, text, 60), /…$/);
    assert.equal(shorten(doc, 'short', 60), 'short');
  });

  test('draws charts within the room there is, of one point, of none that is more than nothing, and of many', () => {
    const { doc } = openDocument('A test');
    doc.addPage({ size: 'A4', margin: 0 });
    const points = (count: number) => Array.from({ length: count }, (_, index) => ({ label: `Label ${index}`, figure: index * 1000.5 }));
    for (const style of ['bars', 'line'] as const) {
      for (const count of [1, 2, 40]) {
        const chart = { title: 'A chart', style, points: points(count) };
        const height = heightOf(chart, 600)!;
        assert.ok(height > 0 && height <= 600);
        drawChart(doc, chart, 100, 600);
      }
    }
    assert.equal(heightOf({ title: 'x', style: 'line', points: points(3) }, 100), undefined);
    assert.ok(heightOf({ title: 'x', style: 'bars', points: points(40) }, 200)! <= 200, 'fewer bars where there is less room');
  });
});

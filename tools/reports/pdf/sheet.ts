import { fileURLToPath } from 'node:url';
import PDFDocument from 'pdfkit';

/** Where things stand on a page of A4, in points, and how they look. Greys only: it is printed in black. */
export const MARGIN = 48;
export const INK = '#111111';
export const GREY = '#555555';
export const HAIR = '#bbbbbb';
export const SHADE = '#f3f3f3';
export const BAR = '#4d4d4d';

export type Doc = PDFKit.PDFDocument;
export type Face = 'regular' | 'bold';

/** Latin, Greek and Cyrillic, and figures of one width without asking for them; embedded, so that a name is right on any machine. */
const FACES: Readonly<Record<Face, string>> = {
  regular: '400Regular/SourceSans3_400Regular.ttf',
  bold: '600SemiBold/SourceSans3_600SemiBold.ttf',
};

/** Opens a document whose pages are numbered at the end; `title` is the report's and names nobody. */
export function openDocument(title: string): { doc: Doc; done: Promise<Buffer> } {
  const doc = new PDFDocument({
    autoFirstPage: false,
    bufferPages: true,
    size: 'A4',
    margin: 0,
    lang: 'en',
    displayTitle: true,
    info: { Title: title, Creator: 'Infirmary', Producer: 'Infirmary' },
  });
  for (const [face, file] of Object.entries(FACES)) {
    doc.registerFont(face, fileURLToPath(import.meta.resolve(`@expo-google-fonts/source-sans-3/${file}`)));
  }
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
  });
  return { doc, done };
}

export function widthOf(doc: Doc): number {
  return doc.page.width - 2 * MARGIN;
}

/** The lowest point for content: below stands the footer. */
export function floorOf(doc: Doc): number {
  return doc.page.height - MARGIN - 22;
}

export interface Style {
  face?: Face;
  size?: number;
  colour?: string;
  align?: 'left' | 'right';
}

/** Writes one line at a place; to the right, it ends there. */
export function write(doc: Doc, text: string, x: number, y: number, style: Style = {}): void {
  const { face = 'regular', size = 9, colour = INK, align = 'left' } = style;
  doc.font(face).fontSize(size).fillColor(colour);
  const left = align === 'right' ? x - measure(doc, text) : x;
  doc.text(text, left, y, { lineBreak: false });
}

/** The width of a line in the font that is set. */
export function measure(doc: Doc, text: string): number {
  return doc.widthOfString(text);
}

/** Breaks a text into lines that fit, between words where it can; at most `most`, the last then ends in an ellipsis. */
export function wrap(doc: Doc, text: string, width: number, most = Infinity): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split(/\r?\n/)) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      const longer = line === '' ? word : `${line} ${word}`;
      if (measure(doc, longer) <= width) {
        line = longer;
        continue;
      }
      if (line !== '') lines.push(line);
      line = word;
      while (measure(doc, line) > width && line.length > 1) {
        let end = line.length - 1;
        while (end > 1 && measure(doc, line.slice(0, end)) > width) end -= 1;
        lines.push(line.slice(0, end));
        line = line.slice(end);
      }
    }
    lines.push(line);
  }
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), shorten(doc, lines.slice(most - 1).join(' '), width)];
}

/** As much of a text as fits, with an ellipsis where that is not all. */
export function shorten(doc: Doc, text: string, width: number): string {
  if (measure(doc, text) <= width) return text;
  let end = text.length;
  while (end > 0 && measure(doc, `${text.slice(0, end).trimEnd()}…`) > width) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

export function rule(doc: Doc, x: number, y: number, width: number, colour = HAIR, weight = 0.5): void {
  doc.moveTo(x, y).lineTo(x + width, y).lineWidth(weight).strokeColor(colour).stroke();
}

/** Groups the digits of a number as people read it; the text is PostgreSQL's, so nothing is rounded. */
export function grouped(number: string): string {
  const [whole = '', fraction] = number.split('.');
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

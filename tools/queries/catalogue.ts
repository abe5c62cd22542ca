import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../failure.ts';
import { projectFolder } from '../settings.ts';

/** The folder of the catalogue: read, run and tested, never deployed. */
export const catalogueFolder = path.join(projectFolder, 'sql/queries');

/** A question to the hospital, and the statement that answers it. */
export interface Query {
  /** Its place in the catalogue, which is an order to read it in. */
  number: number;
  /** Of the file 13-organisation-chart.sql: organisation-chart. */
  name: string;
  /** The name of the file in the folder. */
  file: string;
  question: string;
  technique: string;
  /** What to notice in it. */
  notice: string;
  /** Whether it is asked of the warehouse or of the record itself. */
  source: 'record' | 'warehouse';
  /** The one statement, without the heading. */
  statement: string;
}

/**
 * Reads the whole catalogue, in its order.
 * @throws Error when a file has no name or heading of a query
 */
export async function readCatalogue(folder = catalogueFolder): Promise<Query[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(files.map(async (file) => parseQuery(file, await readFile(path.join(folder, file), 'utf8'))));
}

const part = (label: string): string => `-- ${label}: (.+(?:\\n--   .+)*)\\n`;
const shape = new RegExp(`^${part('Question')}${part('Technique')}${part('Notice')}([^-][^]*)$`);

/**
 * The parts of a file: its name says number and name, the comment at its top the rest.
 * @throws Error when one of them is missing
 */
export function parseQuery(file: string, text: string): Query {
  const [, number, name] = /^(\d\d)-([a-z0-9-]+)\.sql$/.exec(file) ?? [];
  const [, question, technique, notice, statement] = shape.exec(text) ?? [];
  if (!number || !name || !question || !technique || !notice || !statement) {
    throw new Error(`sql/queries/${file} does not begin with its question, its technique and what to notice.`);
  }
  const inOneLine = (lines: string): string => lines.replaceAll('\n--   ', ' ');
  return {
    number: Number(number),
    name,
    file,
    question: inOneLine(question),
    technique: inOneLine(technique),
    notice: inOneLine(notice),
    source: /\bwarehouse\./.test(statement) ? 'warehouse' : 'record',
    statement: statement.trim(),
  };
}

/**
 * The query of that number or name: 13, organisation-chart or 13-organisation-chart.sql.
 * @throws UsageError when there is none
 */
export function findQuery(catalogue: readonly Query[], asked: string): Query {
  const found = catalogue.find(({ number, name, file }) =>
    [String(number), name, file, path.parse(file).name].includes(asked),
  );
  if (found) return found;
  throw new UsageError(`There is no query "${asked}".`, 'They are listed by: infirmary queries');
}

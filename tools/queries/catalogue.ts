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

/**
 * The parts of a file: its name says number and name, the comment at its top the rest.
 * @throws Error when one of them is missing
 */
export function parseQuery(file: string, text: string): Query {
  const name = /^(\d\d)-([a-z0-9-]+)\.sql$/.exec(file);
  const parts =
    /^-- Question: (?<question>.+\n(?:-- {3}.+\n)*)-- Technique: (?<technique>.+\n(?:-- {3}.+\n)*)-- Notice: (?<notice>.+\n(?:-- {3}.+\n)*)(?<statement>[^-][^]*)$/.exec(
      text,
    )?.groups;
  if (!name || !parts) {
    throw new Error(`sql/queries/${file} does not begin with its question, its technique and what to notice.`);
  }
  const oneLine = (part: string | undefined): string => (part ?? '').replaceAll('\n--   ', ' ').trim();
  return {
    number: Number(name[1]),
    name: name[2] as string,
    file,
    question: oneLine(parts.question),
    technique: oneLine(parts.technique),
    notice: oneLine(parts.notice),
    source: /\bwarehouse\./.test(parts.statement ?? '') ? 'warehouse' : 'record',
    statement: (parts.statement ?? '').trim(),
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

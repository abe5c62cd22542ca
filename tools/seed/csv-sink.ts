import { createWriteStream, mkdirSync, writeFileSync, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import * as curated from './curated/read.ts';
import { tables, type Batch, type Row, type TableName, type Value } from './tables.ts';

/** Writes batches as CSV files, one per table, with a heading; an empty field is null. */
export class CsvSink {
  readonly #folder: string;
  readonly #files = new Map<TableName, WriteStream>();
  readonly #written = new Map<TableName, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder and writes the code lists that rows refer to. */
  open(): void {
    mkdirSync(this.#folder, { recursive: true });
    const write = (name: string, heading: string[], rows: Row[]): void =>
      writeFileSync(path.join(this.#folder, `${name}.csv`), [heading, ...rows].map(csvLine).join(''));
    write(
      'diagnosis_codes',
      ['id', 'system', 'code', 'description'],
      curated.diagnoses.map(({ code, description }, place) => [place + 1, 'icd10cm', code, description]),
    );
    write(
      'medications',
      ['id', 'code', 'name'],
      curated.medications.map(({ code, name }, place) => [place + 1, code, name]),
    );
    write(
      'treatment_types',
      ['name', 'code'],
      curated.treatmentTypes.map(({ name, code }) => [name, code || null]),
    );
  }

  /** Writes one batch, waiting for slow disks. */
  async write(batch: Batch): Promise<void> {
    for (const [name, rows] of batch.rows) {
      let file = this.#files.get(name);
      if (!file) {
        file = createWriteStream(path.join(this.#folder, `${name}.csv`));
        file.write(csvLine([...tables[name].columns]));
        this.#files.set(name, file);
      }
      if (!file.write(rows.map(csvLine).join(''))) await once(file, 'drain');
      this.#written.set(name, (this.#written.get(name) ?? 0) + rows.length);
    }
  }

  /** Closes the files and returns the number of rows. */
  async close(): Promise<Record<TableName, number>> {
    for (const file of this.#files.values()) {
      file.end();
      await finished(file);
    }
    return Object.fromEntries(this.#written) as Record<TableName, number>;
  }
}

function csvLine(row: Row): string {
  return `${row.map(csvField).join(',')}\n`;
}

function csvField(value: Value): string {
  if (value === null) return '';
  return typeof value === 'string' && /[",\n\r]/.test(value)
    ? `"${value.replaceAll('"', '""')}"`
    : String(value);
}

import { Presets, SingleBar } from 'cli-progress';

/** Tells a person something, on standard error: standard output is for results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints a result on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Draws rows as psql does: a heading, a rule, and numbers to the right. */
export function drawTable(columns: string[], rows: unknown[][]): string {
  const cells = rows.map((row) => row.map(cellText));
  const widths = columns.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => (row[column] ?? '').length)),
  );
  const numeric = columns.map(
    (_, column) => rows.length > 0 && rows.every((row) => row[column] === null || isNumber(row[column])),
  );
  const draw = (row: string[], right: boolean[]): string =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return ` ${right[column] ? text.padStart(width) : text.padEnd(width)} `;
      })
      .join('|')
      .trimEnd();
  const count = `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`;
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+');
  return [draw(columns, []), rule, ...cells.map((row) => draw(row, numeric)), count].join('\n');
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
}

/** How far a long task has come. */
export interface Progress {
  /** Adds to what is done. */
  advance(amount?: number): void;
  /** Ends the display; call it in `finally`. */
  end(): void;
}

/**
 * Shows the progress of a task of `total` steps: a bar on a terminal, otherwise a line every ten seconds.
 */
export function showProgress(label: string, total: number): Progress {
  if (process.stderr.isTTY) {
    const format = `${label} [{bar}] {percentage}% {value}/{total} {eta_formatted}`;
    const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.legacy);
    bar.start(total, 0);
    return { advance: (amount = 1) => bar.increment(amount), end: () => bar.stop() };
  }
  let done = 0;
  const tell = (): void => say(`${label}: ${done} of ${total}`);
  const timer = setInterval(tell, 10_000);
  timer.unref();
  return {
    advance: (amount = 1) => {
      done += amount;
    },
    end: () => {
      clearInterval(timer);
      tell();
    },
  };
}

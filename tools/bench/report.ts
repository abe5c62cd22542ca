import { drawTable } from '../terminal.ts';
import type { Environment } from './environment.ts';
import type { Figure, LimitResult, RatioResult, Result, Summary } from './comparison.ts';

/** What one run of the bench found. */
export interface Report {
  environment: Environment;
  suites: { name: string; about: string; results: Result[] }[];
}

/** The report for a person: the surroundings first, then each comparison with its ratios side by side. */
export function drawReport({ environment, suites }: Report): string {
  return [
    drawEnvironment(environment),
    ...suites.flatMap(({ name, about, results }) => [`\n# ${name}: ${about}`, ...results.map(drawResult)]),
  ].join('\n');
}

/** Versions, machine and rows, in a few lines. */
export function drawEnvironment(environment: Environment): string {
  const { at, postgres, node, machine, cpus, memoryGigabytes, load, durability, sharedBuffers, rows } = environment;
  const amounts = Object.entries(rows).map(([table, amount]) => `${amount.toLocaleString('en')} ${table}`);
  return [
    `${at}   ${postgres}, Node ${node}`,
    `${cpus} CPUs (${machine}), ${memoryGigabytes} GB, load ${load} at the beginning`,
    `${durability} shared_buffers=${sharedBuffers}`,
    amounts.join(', '),
  ].join('\n');
}

function drawResult(result: Result): string {
  const title = `\n## ${result.title}`;
  if (result.void) return `${title}\nVoid: ${result.void}`;
  const figures = result.figures.filter(({ key }) => result.contenders.some(({ medians }) => medians[key]));
  const heading = figures.map((figure) => `${figure.title}, ${figure.unit} (${figure.clock})`);
  const table = drawTable(
    ['', ...heading],
    result.contenders.map(({ name, medians }) => [name, ...figures.map(({ key }) => drawSummary(medians[key]))]),
  );
  return [
    title,
    `median (least–most) of ${result.rounds} interleaved rounds after ${result.warmUp} of warm-up`,
    table.replace(/\n\(\d+ rows?\)$/, ''),
    ...result.ratios.map((ratio) => drawRatio(ratio, result.figures)),
    ...result.limits.map((limit) => drawLimit(limit, result.figures)),
    ...result.notes.map((line) => `  ${line}`),
    ...result.evidence.map((line) => `  ! ${line}`),
  ].join('\n');
}

function drawSummary(summary: Summary | undefined): string {
  if (!summary) return '';
  return `${round(summary.median)} (${round(summary.least)}–${round(summary.most)})`;
}

function drawRatio({ figure, of, to, value, least, most, aim, met }: RatioResult, figures: readonly Figure[]): string {
  const { title, clock } = figures.find(({ key }) => key === figure)!;
  const verdict = aim === undefined ? '' : `: aim ${aim} ${met ? 'met' : 'MISSED'}`;
  return `${title} (${clock}), ${of} / ${to} = ${round(value)} (${round(least)}–${round(most)})${verdict}`;
}

function drawLimit({ figure, of, most, value, met }: LimitResult, figures: readonly Figure[]): string {
  const { title, clock, unit } = figures.find(({ key }) => key === figure)!;
  return `${title} (${clock}), ${of} = ${round(value)} ${unit}: at most ${most} on this machine ${met ? 'met' : 'MISSED'}`;
}

/** Three significant digits, whole numbers whole. */
export function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

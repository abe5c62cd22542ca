import path from 'node:path';
import { projectFolder } from '../settings.ts';

/*
 * The access matrix: who may do what with which rows, as one committed file that is read by reviewers, compared
 * with what tests measure, and shown as a page.
 */

/** Where the matrix is committed. */
export const MATRIX_FILE = path.join(projectFolder, 'tests', 'contract', 'access-matrix.txt');

/** The order in which roles, commands and kinds of rows are written. */
export const ROLES = [
  'anonymous',
  'patient',
  'doctor',
  'nurse',
  'reception',
  'pharmacist',
  'laboratory',
  'billing',
  'administrator',
  'analyst',
  'auditor',
  'worker',
];
const COMMANDS = ['select', 'insert', 'update', 'delete', 'truncate', 'trigger'];
const KINDS = ['own', 'roster', 'department', 'other', 'colleagues', 'staff', 'any'];

/** What a role reaches of the rows of one kind, before and after opening charts. */
export interface Reach {
  kind: string;
  existing: number;
  reached: number;
  reachedWithCharts: number;
}

/** What a role may do with a table by one command; no columns means all of them. */
export interface Right {
  role: string;
  command: string;
  columns?: string;
  reach: Reach[];
}

/** The right in words: `own, some roster*`. An asterisk: once the chart is open. */
export function inWords(reach: readonly Reach[]): string {
  const present = KINDS.flatMap((kind) => reach.filter((one) => one.kind === kind && one.existing > 0));
  if (present.length > 0 && present.every((one) => one.reached === one.existing)) return 'all';
  const words = present.flatMap(({ kind, existing, reached, reachedWithCharts }) => {
    const name = (count: number): string =>
      present.length === 1 ? 'some' : count < existing ? `some ${kind}` : kind;
    return [
      ...(reached > 0 ? [name(reached)] : []),
      ...(reachedWithCharts > reached ? [`${name(reachedWithCharts)}*`] : []),
    ];
  });
  return words.join(', ') || 'none';
}

/** The lines of one table: roles with the same right share one. */
export function linesOf(rights: readonly Right[]): string[] {
  const lines = COMMANDS.flatMap((command) => {
    const sharing = new Map<string, string[]>();
    for (const role of ROLES) {
      for (const right of rights.filter((one) => one.command === command && one.role === role)) {
        const columns = right.columns ? ` (${right.columns})` : '';
        const words = `${inWords(right.reach)}${columns}`;
        sharing.set(words, [...(sharing.get(words) ?? []), role]);
      }
    }
    return [...sharing].map(([words, roles]) => `  ${command} ${roles.join(', ')}: ${words}`);
  });
  return lines.length > 0 ? lines : ['  nobody'];
}

/** The matrix as committed: each table with its lines, each function with its roles. */
export interface Matrix {
  tables: Map<string, string[]>;
  functions: Map<string, string[]>;
}

const HEAD = `# Who may do what, cell by cell. Written by measuring and to be reviewed; after a change of rights or tables:
#   WRITE_ACCESS_MATRIX=1 npm test -- contract/access-matrix, then read the difference, then infirmary docs build.
# Rows of patients are own, of the roster (who has an appointment with the doctor), of the department or other;
# rows of staff are own, of colleagues (the same department) or of other staff. "some" is a part of a kind, or of a table.
# An asterisk: once the chart is open in this session. "none": there is the right, but no row of a finished transaction
# is under it. Columns stand where the right is not for all of them. What is not listed is denied: in the schemas hospital
# and analytics every table and function is listed, in the others those that somebody reaches.
`;

/** The text of the committed file. */
export function matrixText({ tables, functions }: Matrix): string {
  const blocks = [...tables].map(([name, lines]) => `table ${name}\n${lines.join('\n')}\n`);
  const calls = [...functions].map(([name, roles]) => `function ${name}: ${roles.join(', ') || 'nobody'}`);
  return `${HEAD}\n${blocks.join('\n')}\n${calls.join('\n')}\n`;
}

/** Reads the committed file. */
export function parseMatrix(text: string): Matrix {
  const matrix: Matrix = { tables: new Map(), functions: new Map() };
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const call = /^function (\S+): (.*)$/.exec(line);
    if (call) matrix.functions.set(call[1]!, call[2]!.split(', ').filter((role) => role !== 'nobody'));
    else if (line.startsWith('table ')) matrix.tables.set(line.slice(6), (lines = []));
    else if (line.startsWith('  ')) lines.push(line);
  }
  return matrix;
}

/** What the committed lines of a table say of one role and command: the words and the columns. */
export function cellOf(
  lines: readonly string[],
  role: string,
  command: string,
): { words: string; columns?: string } | undefined {
  for (const line of lines) {
    const [, verb, roles, words, columns] = /^ {2}(\w+) ([\w, ]+): ([^(]*?)(?: \((.*)\))?$/.exec(line) ?? [];
    if (verb === command && roles!.split(', ').includes(role)) {
      return { words: words!, ...(columns && { columns }) };
    }
  }
  return undefined;
}

/** The page. Markdown. */
export function matrixPage(matrix: Matrix): string {
  const letters: Record<string, string> = { select: 'S', insert: 'I', update: 'U', delete: 'D' };
  const exposed = (name: string): boolean => /^(hospital|analytics)\./.test(name);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = (schema: string, names: readonly string[]): string[] => [
    row([schema, ...ROLES]),
    row(['---', ...ROLES.map(() => '---')]),
    ...names.map((name) =>
      row([
        name.slice(name.indexOf('.') + 1),
        ...ROLES.map((role) =>
          COMMANDS.flatMap((command) => {
            const cell = cellOf(matrix.tables.get(name)!, role, command);
            return cell ? `${letters[command] ?? command} ${cell.words}${cell.columns ? '°' : ''}` : [];
          })
            .join('; ')
            .replaceAll('*', '\\*'),
        ),
      ]),
    ),
  ];
  const columns = [...matrix.tables].flatMap(([name, lines]) =>
    lines.flatMap((line) => {
      const [, command, roles, list] = /^ {2}(\w+) ([\w, ]+): .*\((.*)\)$/.exec(line) ?? [];
      return list ? [`- ${name}, ${command} by ${roles}: ${list}`] : [];
    }),
  );
  const calls = (names: readonly string[]): string[] => [
    row(['function', ...ROLES]),
    row(['---', ...ROLES.map(() => '---')]),
    ...names.map((name) =>
      row([
        name.replace(/^(hospital|analytics)\./, ''),
        ...ROLES.map((role) => (matrix.functions.get(name)!.includes(role) ? '●' : '')),
      ]),
    ),
  ];
  const tables = [...matrix.tables.keys()];
  const functions = [...matrix.functions.keys()];
  return [
    '# Who may do what',
    '',
    'This page is generated from `tests/contract/access-matrix.txt` by `npx infirmary docs build`; `npm test -- contract/access-matrix`',
    'compares that file, cell by cell, with what each role can really do in SQL and over the API. What is empty is denied.',
    '',
    'S select, I insert, U update, D delete; ° of some columns only, listed below. Rows are *own* (a patient’s, or of the member of staff),',
    'of the *roster* (a patient who has an appointment with the doctor), of the *department*, or *other*; *all* is every row, *some* a part;',
    'an asterisk means once the chart is open in this session. *none*: the right exists, and no row of a finished transaction is under it.',
    '',
    '## Tables',
    '',
    ...table('hospital', tables.filter(exposed)),
    '',
    '## Columns',
    '',
    ...columns,
    '',
    '## Functions',
    '',
    ...calls(functions.filter(exposed)),
    '',
    '## Other schemas',
    '',
    'No client of the API reaches them by name. Functions of the house that policies and functions of the API call in the caller’s name:',
    '',
    ...calls(functions.filter((name) => !exposed(name))),
    '',
    ...(tables.every(exposed)
      ? ['None of these roles reads or writes a table outside `hospital`.', '']
      : ['Tables:', '', ...table('table', tables.filter((name) => !exposed(name))), '']),
  ].join('\n');
}

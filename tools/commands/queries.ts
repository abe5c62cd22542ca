import { InvalidArgumentError, type Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { type Answer, asObjects, ask, withClient } from '../database.ts';
import { findQuery, type Query, readCatalogue } from '../queries/catalogue.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say } from '../terminal.ts';

interface Flags {
  explain?: boolean;
  seconds: number;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('queries')
    .description('the catalogue of questions to the hospital: list them, ask one, explain one')
    .argument('[name]', 'the name or the number of a query; without it they are listed')
    .option('--explain', 'show how it was answered: explain (analyze, buffers)')
    .option('--seconds <number>', 'give up after so many', seconds, 60)
    .option('--json', '{"queries": […]}, {"rows": […]} or {"plan": […]}')
    .addHelpText('after', '\nA query is asked as the owner, in a transaction that cannot write. More: docs/queries.md')
    .action(async (name: string | undefined, flags: Flags) => {
      const catalogue = await readCatalogue();
      if (name === undefined) return list(catalogue, flags);
      const query = findQuery(catalogue, name);
      const answer = await work(readSettings(), query, flags);
      if (flags.json) return print(JSON.stringify(forPrograms(answer, flags)));
      say(`${introduce(query, [query.question, query.technique, query.notice])}\n`);
      print(flags.explain ? answer.rows.flat().join('\n') : drawTable(answer.columns, answer.rows));
      if (query.source === 'warehouse' && answer.rows.length === 0)
        say('It is asked of the warehouse, which is loaded by: infirmary etl run');
    });
}

function list(catalogue: readonly Query[], { json }: Flags): void {
  if (json) return print(JSON.stringify({ queries: catalogue }));
  print(catalogue.map((query) => introduce(query, [query.question, query.technique])).join('\n\n'));
  say('\nAsk one: infirmary queries organisation-chart');
}

/** Asks a query of the hospital as the owner of the database, or how it is answered. */
export async function work(settings: Settings, query: Query, flags: Partial<Flags> = {}): Promise<Answer> {
  const server = await acquireServer(settings);
  try {
    return await run(server.url('hospital_owner'), query, flags);
  } finally {
    await server.release();
  }
}

/** Runs a query in a transaction that reads only and is rolled back. */
export async function run(
  ownerUrl: string,
  { statement }: Pick<Query, 'statement'>,
  { explain = false, seconds = 60 }: Partial<Flags> = {},
): Promise<Answer> {
  return withClient(ownerUrl, async (client) => {
    await client.query('begin transaction read only');
    // Every name is written with its schema, which this proves; and days are of one zone, whatever the connection's.
    await client.query(
      `select set_config('search_path', '', true), set_config('TimeZone', 'UTC', true), set_config('statement_timeout', $1, true)`,
      [`${seconds}s`],
    );
    const answer = await ask(client, explain ? `explain (analyze, buffers) ${statement}` : statement);
    await client.query('rollback');
    return answer;
  });
}

function forPrograms(answer: Answer, { explain }: Flags): object {
  return explain ? { plan: answer.rows.flat() } : { rows: asObjects(answer) };
}

/** The number and name of a query, and beneath them what is said of it, as wide as a terminal usually is. */
function introduce({ number, name }: Query, paragraphs: string[]): string {
  const lines = paragraphs.map((text) => text.replaceAll(/(.{1,96})(?: |$)/g, '    $1\n').trimEnd());
  return [`${String(number).padStart(2)}  ${name}`, ...lines].join('\n');
}

function seconds(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(text);
}

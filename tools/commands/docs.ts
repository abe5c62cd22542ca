import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { MATRIX_FILE, matrixPage, parseMatrix } from '../docs/access-matrix.ts';
import { diagramPage, dictionaryPage, readTables } from '../docs/pages.ts';
import { queriesPage } from '../docs/queries-page.ts';
import { readCatalogue } from '../queries/catalogue.ts';
import { projectFolder, readSettings, type Settings } from '../settings.ts';
import { say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('docs')
    .description('what is generated from the database and committed')
    .command('build')
    .description('write schema.graphql and, in docs/, access-matrix.md, error-codes.md, data-dictionary.md, erd.md and queries.md')
    .action(async () => (await work(readSettings())).forEach((file) => say(`Wrote ${file}`)));
}

/** Writes every generated page from a migrated database and returns their names. */
export async function work(settings: Settings): Promise<string[]> {
  const server = await acquireServer(settings);
  try {
    const pages = await build(server.url('hospital_owner'), server.url('hospital_authenticator'));
    for (const [file, text] of pages) await writeFile(path.join(projectFolder, file), text);
    return [...pages.keys()];
  } finally {
    await server.release();
  }
}

/** The generated pages by file name: what the repository must contain. */
export async function build(ownerUrl: string, authenticatorUrl: string): Promise<Map<string, string>> {
  // Grafast asks once, when it is loaded.
  process.env.GRAPHILE_ENV ??= 'production';
  const { readSchema } = await import('../api/export-schema.ts');
  const { errorPage } = await import('../api/error-page.ts');
  const tables = await readTables(ownerUrl);
  return new Map([
    ['schema.graphql', await readSchema(authenticatorUrl)],
    ['docs/access-matrix.md', matrixPage(parseMatrix(await readFile(MATRIX_FILE, 'utf8')))],
    ['docs/error-codes.md', errorPage()],
    ['docs/data-dictionary.md', dictionaryPage(tables)],
    ['docs/erd.md', diagramPage(tables)],
    ['docs/queries.md', queriesPage(await readCatalogue())],
  ]);
}

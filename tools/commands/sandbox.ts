import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { exportSandbox, type Manifest } from '../sandbox/export.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say, showProgress } from '../terminal.ts';

type Flags = { erase?: boolean; json?: boolean };

export function register(program: Command): void {
  const sandbox = program.command('sandbox').description('de-identified copies of the hospital');
  sandbox
    .command('export')
    .description('write the masked views as CSV files, with pseudonyms of no other export')
    .argument('<dir>', 'a folder that is empty or does not exist')
    .option('--erase', 'replace the export that is there')
    .option('--json', 'print the manifest: {"release": 7, "until": "…", "files": […]}')
    .addHelpText('after', '\nWhat is in it, what is not, and what that means: docs/masking.md')
    .action(async (directory: string, { erase = false, json }: Flags) => {
      const manifest = await work(readSettings(), directory, erase);
      if (json) return print(JSON.stringify(manifest));
      print(drawTable(['file', 'rows'], manifest.files.map(({ name, rows }) => [name, rows])));
      say(`Release ${manifest.release}, all that happened before ${manifest.until}, is in ${directory}.`);
    });
  sandbox
    .command('release')
    .description('give the analysts a new release; the one before, and its pseudonyms, end')
    .action(async () => say(`Release ${await startRelease(readSettings())} is what analysts see.`));
}

/** Exports the masked views into a folder, as the owner of the database. */
export async function work(settings: Settings, directory: string, erase: boolean): Promise<Manifest> {
  const server = await acquireServer(settings);
  try {
    return await exportSandbox(server.url('hospital_owner'), directory, {
      erase,
      showProgress: (rows) => showProgress('Rows', rows),
    });
  } finally {
    await server.release();
  }
}

/** Starts a release for the analysts and returns its number. */
export async function startRelease(settings: Settings): Promise<string> {
  const server = await acquireServer(settings);
  try {
    const { rows } = await withClient(server.url('hospital_owner'), (client) =>
      ask(client, `select hospital_private.start_masking_release('analyst')`),
    );
    return rows[0]?.[0] as string;
  } finally {
    await server.release();
  }
}

import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { importSynthea } from '../import/run.ts';
import { drawSummary, type Summary } from '../import/summary.ts';
import { readSettings, type Settings } from '../settings.ts';
import { print, say, showProgress } from '../terminal.ts';

type Options = { dryRun?: boolean; json?: boolean };

export function register(program: Command): void {
  program
    .command('import')
    .description('bring records of other systems into the hospital')
    .command('synthea')
    .description('import a Synthea CSV export; importing it again changes nothing')
    .argument('<dir>', 'the folder that holds patients.csv, encounters.csv and their companions')
    .option('--dry-run', 'do everything, roll it back, and say what would have happened')
    .option('--json', '{"files": […], "rejects": […], "remarks": […], …}')
    .addHelpText('after', '\nWhat was refused, line by line: select * from staging.import_rejects')
    .action(async (directory: string, { dryRun, json }: Options) => {
      const summary = await work(readSettings(), directory, dryRun ?? false);
      print(json ? JSON.stringify(summary) : drawSummary(summary));
      say(`${dryRun ? 'Rehearsed, changing nothing,' : 'Imported'} in ${summary.seconds.toFixed(1)} s.`);
    });
}

/** Imports a Synthea export as the owner of the database. */
export async function work(settings: Settings, directory: string, isRehearsal: boolean): Promise<Summary> {
  const server = await acquireServer(settings);
  try {
    return await importSynthea(server.url('hospital_owner'), directory, {
      isRehearsal,
      report: say,
      showProgress: (bytes) => showProgress('Reading (bytes)', bytes),
    });
  } finally {
    await server.release();
  }
}

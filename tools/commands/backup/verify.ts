import type { Command } from 'commander';
import { recordVerified, withBackupUrl } from '../../backup/catalogue.ts';
import { showBytes } from '../../backup/progress.ts';
import { findBackup, listBackups, openRepository } from '../../backup/repository.ts';
import { type Finding, verifyBackup } from '../../backup/verify.ts';
import { verifyLog } from '../../backup/wal-archive.ts';
import { Failure } from '../../failure.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { drawTable, print, say } from '../../terminal.ts';

export function register(backup: Command): void {
  backup
    .command('verify')
    .argument('[name]', 'one backup only, instead of all and the log')
    .description('read everything to the last byte, and compare it with what was written')
    .option('--json', '[{"file", "problem"}, …]')
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const findings = await verify(readSettings(), name);
      if (json) print(JSON.stringify(findings));
      else if (findings.length > 0) print(drawTable(['file', 'problem'], findings.map(({ file, problem }) => [file, problem])));
      if (findings.length === 0) return say('Everything is as it was written.');
      throw new Failure(
        `${findings.length} ${findings.length === 1 ? 'thing is' : 'things are'} not as written, the first: ${findings[0]!.file} ${findings[0]!.problem}.`,
        'Make a new backup now: infirmary backup create. Then find out what the disk does.',
      );
    });
}

/** Reads one backup, or all of them and the log, and tells what is not as it was written. */
export async function verify(settings: Settings, name?: string): Promise<Finding[]> {
  const repository = openRepository(settings.backup);
  const { backups, damaged } =
    name === undefined ? await listBackups(repository) : { backups: [await findBackup(repository, name)], damaged: [] };
  const findings = damaged.map((each) => ({ file: `backups/${each.name}/manifest.json`, problem: each.problem }));
  const total = backups.flatMap(({ archives }) => archives).reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = showBytes('Verifying', total);
  const verified: [name: string, problems: number][] = [];
  try {
    for (const backup of backups) {
      const found = await verifyBackup(repository, backup, progress.advance);
      verified.push([backup.name, found.length]);
      findings.push(...found);
    }
    if (name === undefined) findings.push(...(await verifyLog(repository, backups)));
  } finally {
    progress.end();
  }
  await withBackupUrl(settings, async (url) => {
    for (const [each, problems] of verified) await recordVerified(url, each, problems);
  });
  return findings;
}

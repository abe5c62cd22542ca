import type { Command } from 'commander';
import { checkUp, type Checkup, type Wishes } from '../checkup/checkup.ts';
import { Failure } from '../failure.ts';
import { readSettings } from '../settings.ts';
import { print, say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('checkup')
    .description('name what is wrong with the server and the hospital, and what mends it; changes nothing')
    .option('--thorough', 'compare everything the database defines with what the migrations make of an empty one, too')
    .option('--except <check...>', 'leave these out: what they find is known here and has its reason')
    .option('--json', '{"looked", "problems": [{"check", "severity", "problem", "remedy"}], "unseen": [{"check", "why", "failed"}]}')
    .action(async ({ json, ...wishes }: Wishes & { json?: boolean }) => {
      const checkup = await checkUp(readSettings(), wishes);
      if (json) print(JSON.stringify(checkup));
      else tell(checkup);
      refuse(checkup);
    });
}

function tell({ looked, problems, unseen }: Checkup): void {
  for (const { check, severity, problem, remedy } of problems) {
    print(`${severity.toUpperCase()} ${check}\n  ${problem}\n  → ${remedy}\n`);
  }
  for (const { check, why } of unseen) say(`Not looked at: ${check}, ${why}.`);
  say(`${looked} checks were made.`);
}

/** A notice alone is no failure; a check that broke is one, since nobody knows what it would have found. */
function refuse({ problems, unseen }: Checkup): void {
  const grave = problems.filter(({ severity }) => severity !== 'notice');
  const broken = unseen.filter(({ failed }) => failed);
  if (grave.length === 0 && broken.length === 0) return;
  const parts = [
    ...(grave.length > 0 ? [`${grave.length} ${grave.length === 1 ? 'problem was' : 'problems were'} found`] : []),
    ...(broken.length > 0 ? [`${broken.map(({ check }) => check).join(', ')} could not be looked at`] : []),
  ];
  throw new Failure(`${parts.join(', and ')}.`, grave[0] && `Begin with ${grave[0].check}: ${grave[0].remedy}`);
}

import path from 'node:path';
import type { Command } from 'commander';
import { startToStay, stopStaying } from '../cluster/embedded.ts';
import { acquireServer, type Server } from '../cluster/server.ts';
import { Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { dropSlot } from '../standby/copy.ts';
import { createStandby } from '../standby/create.ts';
import { readNote } from '../standby/note.ts';
import { type Asserted, promoteStandby } from '../standby/promote.ts';
import { statusOfStandbys, type Status } from '../standby/status.ts';
import { requireStandby } from '../standby/synchronous.ts';
import { drawTable, print, say } from '../terminal.ts';

type Json = { json?: boolean };
type Named = { name: string };

export function register(program: Command): void {
  const standby = program.command('standby').description('a second server that follows the first, and can take its place');
  const named = (name: string, description: string): Command =>
    standby
      .command(name)
      .description(description)
      .option('--name <name>', 'what the standby and its slot are called at the primary', 'infirmary_standby');
  named('create', 'copy the running server, and follow it')
    .requiredOption('--into <folder>', 'the home folder of the standby, new or empty')
    .option('--synchronous', 'from then on no commit is acknowledged that the standby does not have on disk')
    .option('--erase', 'replace what is in the folder; its data are set aside, not deleted')
    .option('--json', '{"home", "name", "port", "synchronous"}')
    .action(async ({ into, synchronous = false, erase = false, name, json }: CreateOptions) => {
      const made = await createStandby(readSettings(), { into: path.resolve(into), name, synchronous, erase });
      if (json) return print(JSON.stringify(made));
      if (made.aside) say(`What was there is now ${made.aside}: delete it when all is well.`);
      say(`The standby "${name}" follows, on 127.0.0.1:${made.port}${synchronous ? ', and every commit waits for it' : ''}.`);
      say('Watch it: infirmary standby status');
    });
  standby
    .command('status')
    .argument('[folder]', 'the home folder of a standby on this machine, to ask it too')
    .description('how far each standby is, and what is wrong; exit code 1 when something is')
    .option('--max-lag <megabytes>', 'how much of the log a standby may lack', Number, 64)
    .option('--json', 'one JSON object')
    .action(async (folder: string | undefined, { maxLag, json }: Json & { maxLag: number }) => {
      if (!(maxLag >= 0)) throw new UsageError('--max-lag must be a number of megabytes.');
      const status = await statusOfStandbys(readSettings(), maxLag * 1e6, folder && path.resolve(folder));
      if (json) print(JSON.stringify(status));
      else tell(status);
      const [first, ...more] = status.problems;
      if (!first) return;
      if (!json) for (const { problem, remedy } of more) say(`${problem}\n  ${remedy}`);
      throw new Failure(first.problem, first.remedy);
    });
  standby
    .command('promote')
    .argument('<folder>', 'the home folder of the standby')
    .description("make the standby the hospital's server, when the primary is off")
    .option('--primary-is-off', 'it cannot be seen from here, and you have made sure of it')
    .option('--while-the-primary-runs', 'for a rehearsal: from then on there are two hospitals')
    .option('--json', '{"home", "port", "timeline", "lastCommit", "seconds", "retired"}')
    .action(async (folder: string, { json, ...asserted }: Json & Asserted) => {
      const promoted = await promoteStandby(readSettings(), path.resolve(folder), asserted);
      if (json) return print(JSON.stringify(promoted));
      const { home, port, lastCommit, seconds, retired } = promoted;
      say(`The server in ${home} takes writes, on 127.0.0.1:${port}, after ${seconds.toFixed(2)} s.`);
      if (lastCommit) say(`The last commit it has is of ${lastCommit}.`);
      if (retired) say('The old server does not start again.');
      say(`Open the hospital there: INFIRMARY_HOME=${home} infirmary start\nThen make it a standby of its own: infirmary standby create`);
    });
  standby
    .command('start')
    .argument('<folder>', 'the home folder of the standby')
    .description('start a standby, to stay')
    .action(async (folder: string) => say(`The standby runs on 127.0.0.1:${await startToStay(ofFolder(folder))}.`));
  standby
    .command('stop')
    .argument('<folder>', 'the home folder of the standby')
    .description('stop a standby; the primary keeps its log for it')
    .action(async (folder: string) => say((await stopStaying(ofFolder(folder))) ? 'The standby is stopped.' : 'The standby was not running.'));
  named('synchronous', 'no commit is acknowledged from now on that the standby does not have on disk').action(({ name }: Named) =>
    withServer(async (server) => {
      const changed = await requireStandby(server.url('postgres'), name, true);
      say(changed ? `Every commit waits for "${name}" from now on.` : `Every commit waits for "${name}" already.`);
    }),
  );
  named('asynchronous', 'wait for the standby no longer').action(({ name }: Named) =>
    withServer(async (server) => {
      const changed = await requireStandby(server.url('postgres'), name, false);
      say(changed ? `No commit waits for "${name}" any more.` : `No commit waits for "${name}".`);
    }),
  );
  named('drop', 'forget a standby that is gone: wait for it no longer, and keep no log for it').action(({ name }: Named) =>
    withServer(async (server, settings) => {
      await requireStandby(server.url('postgres'), name, false);
      const dropped = await dropSlot(server.url('hospital_backup', settings.database), name);
      say(dropped ? `The server has forgotten "${name}".` : `The server knows no standby "${name}".`);
    }),
  );
}

interface CreateOptions extends Json, Named {
  into: string;
  synchronous?: boolean;
  erase?: boolean;
}

/** A standby is a private cluster in a home folder of its own. */
function ofFolder(folder: string): Settings {
  const { databaseUrl: _, ...settings } = readSettings();
  const home = path.resolve(folder);
  readNote(home);
  return { ...settings, home };
}

async function withServer(work: (server: Server, settings: Settings) => Promise<void>): Promise<void> {
  const settings = readSettings();
  const server = await acquireServer(settings);
  try {
    await work(server, settings);
  } finally {
    await server.release();
  }
}

function tell({ primary, standbys, here }: Status): void {
  if (standbys.length > 0) {
    print(
      drawTable(
        ['standby', 'state', 'commits', 'lacks MB', 'unseen MB', 'seconds', 'kept MB', 'log'],
        standbys.map((each) => [
          each.name,
          each.state ?? 'not connected',
          each.sync,
          megabytes(each.behindBytes),
          megabytes(each.unseenBytes),
          each.behindSeconds?.toFixed(3),
          megabytes(each.keptBytes),
          each.log,
        ]),
      ),
    );
  }
  if (primary.waitingCommits > 0) say(`${primary.waitingCommits} commits wait for a standby.`);
  if (here) {
    const state = !here.running ? 'does not run' : here.receiving ? 'receives the log' : 'receives nothing';
    say(`The standby in ${here.home} ${state}${here.lastCommit ? `; the last commit it shows is of ${here.lastCommit}` : ''}.`);
  }
}

function megabytes(bytes: number | null): string | undefined {
  return bytes === null ? undefined : (bytes / 1e6).toFixed(1);
}

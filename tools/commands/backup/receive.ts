import type { Command } from 'commander';
import { backUpEveryNight } from '../../backup/nightly.ts';
import { dropSlot, isReceiving, keepReceiving, receiveLog } from '../../backup/receive.ts';
import { openRepository } from '../../backup/repository.ts';
import { acquireServer } from '../../cluster/server.ts';
import { describe, Failure } from '../../failure.ts';
import { readSettings, type Settings } from '../../settings.ts';
import { onShutdown, stopOnSignals } from '../../shutdown.ts';
import { say } from '../../terminal.ts';

type Choice = { once?: boolean; giveUp?: boolean; nightly?: boolean; check?: boolean };

export function register(backup: Command): void {
  backup
    .command('receive')
    .description('receive the log all the time, until stopped: then any moment can be restored')
    .option('--once', 'only what is there now')
    .option('--give-up', 'no longer: the server need not keep its log for us')
    .option('--nightly', 'and make a backup at the start, if there is none of this night, and then every night')
    .option('--check', 'only say whether this machine receives it, for a health check')
    .action(async ({ once, giveUp, nightly, check }: Choice) => {
      if (giveUp) return say(await stopReceiving(readSettings()));
      if (check) return requireReceiver(readSettings());
      if (once) return say(await receiveOnce(readSettings()));
      stopOnSignals((error) => say(describe(error)), 0);
      await receive(readSettings());
      say('Receiving the log.');
      if (nightly) await backUpEveryNight(readSettings());
      // Until a signal stops everything and exits.
      await new Promise(() => {});
    });
}

/** Receives the log of the server until `onShutdown`; when the server is lost it comes back with it. */
export async function receive(settings: Settings): Promise<void> {
  const repository = openRepository(settings.backup);
  const server = await acquireServer(settings);
  onShutdown(() => server.release());
  const receiving = await keepReceiving(server.url('hospital_backup'), repository, say);
  onShutdown(() => receiving.stop());
}

/** Receives what the server's log holds by now. Returns what to tell. */
export async function receiveOnce(settings: Settings): Promise<string> {
  const repository = openRepository(settings.backup);
  const server = await acquireServer(settings);
  try {
    const receiving = await receiveLog(server.url('hospital_backup'), repository, say);
    try {
      await Promise.race([receiving.caughtUp, receiving.ended]);
    } finally {
      await receiving.stop();
    }
  } finally {
    await server.release();
  }
  return 'The repository has the whole log.';
}

/** @throws Failure when this machine does not receive the log */
async function requireReceiver(settings: Settings): Promise<void> {
  const server = await acquireServer(settings);
  try {
    if (await isReceiving(server.url('hospital_backup'))) return say('This machine receives the log.');
    throw new Failure('This machine does not receive the log.', 'Start it: infirmary backup receive');
  } finally {
    await server.release();
  }
}

/** Lets the server forget that its log was being received. Returns what to tell. */
export async function stopReceiving(settings: Settings): Promise<string> {
  const server = await acquireServer(settings);
  try {
    const dropped = await dropSlot(server.url('hospital_backup'));
    return dropped ? 'The server no longer keeps its log for the repository.' : 'The log was not being received.';
  } finally {
    await server.release();
  }
}

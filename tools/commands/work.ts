import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { describe, Failure } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { onShutdown, requestStop, stopOnSignals, whenParentEnds } from '../shutdown.ts';
import { say } from '../terminal.ts';

export function register(program: Command): void {
  program
    .command('work')
    .description('run the background jobs until stopped')
    .option('--once', 'run every scheduled job and what waits in the queue, then end')
    .option('--check', 'only say whether a worker of this machine works, for a health check')
    .action(async ({ once, check }: { once?: boolean; check?: boolean }) => {
      if (check) return requireWorker(readSettings());
      if (once) return workOnce(readSettings());
      const report = (error: unknown): void => say(describe(error));
      stopOnSignals(report, 0);
      whenParentEnds(() => requestStop(report, 0));
      await work(readSettings());
      say('The worker runs.');
      // Until a signal, or the end of the parent, stops everything and exits.
      await new Promise(() => {});
    });
}

/** Starts the worker on the server the settings name; `onShutdown` stops it, and then lets the server go. */
export async function work(settings: Settings): Promise<void> {
  const { startWorker } = await import('../worker/runner.ts');
  const server = await acquireServer(settings);
  onShutdown(() => server.release());
  const worker = await startWorker(server.url('hospital_worker'));
  onShutdown(() => worker.stop());
  if (!settings.backup.wal) return;
  const { receive } = await import('./backup/receive.ts');
  // Somebody else may receive it, and the hospital must open all the same.
  await receive(settings).catch((error) => say(describe(error)));
}

/** @throws Failure when no worker of this machine is connected */
async function requireWorker(settings: Settings): Promise<void> {
  const { isWorking } = await import('../worker/liveness.ts');
  const server = await acquireServer(settings);
  try {
    if (await isWorking(server.url('hospital_worker'))) return say('A worker of this machine works.');
    throw new Failure('No worker of this machine works.', 'Start one: infirmary work');
  } finally {
    await server.release();
  }
}

/** Runs every job once. */
export async function workOnce(settings: Settings): Promise<void> {
  const once = await import('../worker/once.ts');
  const server = await acquireServer(settings);
  try {
    await once.workOnce(server.url('hospital_worker'));
  } finally {
    await server.release();
  }
}

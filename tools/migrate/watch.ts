import { existsSync } from 'node:fs';
import { watch as watchFolder } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '../database.ts';
import { describe } from '../failure.ts';
import { onShutdown } from '../shutdown.ts';
import { applySources } from './apply.ts';
import type { Report } from './graphile.ts';
import { isSigned, splitBody } from './history.ts';
import { isStaged, readSources, type Source } from './sources.ts';
import { asFile, bodyOf, readChange, stagedFiles } from './stage.ts';

/**
 * Applies what is not signed to a development database now, and again at every change of sql/,
 * policies/ or migrations/current, until the process is stopped. What was applied is recorded in
 * graphile_migrate.current, as graphile-migrate's own `watch` does.
 */
export async function watch(root: string, ownerUrl: string, report: Report): Promise<void> {
  const abort = new AbortController();
  onShutdown(async () => abort.abort());
  let changed = false;
  let wake = (): void => {};
  const call = (): void => {
    changed = true;
    wake();
  };
  abort.signal.addEventListener('abort', call);
  for (const folder of ['sql', 'policies', 'migrations/current']) {
    if (existsSync(path.join(root, folder))) void notice(path.join(root, folder), abort.signal, call);
  }
  while (!abort.signal.aborted) {
    changed = false;
    await applyOnce(root, ownerUrl, report).catch((error) => report(describe(error)));
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (changed) resolve();
    });
    // Editors write in several steps, and a branch switch changes many files: once is enough.
    await sleep(150);
  }
}

async function notice(folder: string, signal: AbortSignal, call: () => void): Promise<void> {
  try {
    for await (const { filename } of watchFolder(folder, { recursive: true, signal })) {
      if (filename?.endsWith('.sql') && !isStaged(filename)) call();
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}

/**
 * Applies the unsigned files that differ from what was applied last. A hand-written file therefore runs
 * once; when it is changed afterwards it must be able to run again, or the database begins anew.
 */
export async function applyOnce(root: string, ownerUrl: string, report: Report): Promise<string[]> {
  const began = performance.now();
  const change = await readChange(root);
  for (const problem of change.problems) report(`Warning: ${problem}`);
  const applied = new Map(
    (await readApplied(ownerUrl)).map((part) => [part.source ?? part.name, part.text]),
  );
  const differs = (key: string, { text }: Source): boolean => applied.get(key) !== `${text.trim()}\n`;
  const pending = [
    ...change.current.filter((file) => differs(path.basename(file.path), file)),
    // Also a living file that was changed, applied, and changed back to what is signed.
    ...(await readSources(root)).filter((file) =>
      applied.has(file.path) ? differs(file.path, file) : !isSigned(file, change.history.signed),
    ),
  ];
  if (pending.length === 0) return [];
  const repeated = pending.filter((file) => applied.has(path.basename(file.path)));
  await applySources(ownerUrl, pending).catch((error) => {
    for (const file of repeated) {
      report(
        `${file.path} had been applied and was changed. If it cannot run twice, begin anew: infirmary db reset --erase`,
      );
    }
    throw error;
  });
  const body = bodyOf([...change.current.map(asFile), ...stagedFiles(change.changed)]);
  await withClient(ownerUrl, (client) =>
    client.query(
      `insert into graphile_migrate.current (content)
       values ($1)
       on conflict (filename)
       do update
       set content = excluded.content, date = excluded.date`,
      [body],
    ),
  );
  const names = pending.map((file) => file.path);
  report(
    `Applied ${names.length > 5 ? `${names.length} files` : names.join(', ')} in ${Math.round(performance.now() - began)} ms.`,
  );
  return names;
}

async function readApplied(ownerUrl: string): Promise<ReturnType<typeof splitBody>> {
  return withClient(ownerUrl, async (client) => {
    const { rows } = await client.query<{ content: string }>(
      `select content from graphile_migrate.current where filename = 'current.sql'`,
    );
    return rows[0] ? splitBody(rows[0].content) : [];
  });
}

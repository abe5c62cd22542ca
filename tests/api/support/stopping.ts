import { after } from 'node:test';

/**
 * What has to stop before the databases under it are dropped. Hooks run in the order of their registration,
 * so this file is imported before tests/support/database.ts.
 */
export const stopping: (() => Promise<void>)[] = [];

after(async () => {
  for (const stop of stopping.reverse()) await stop();
});

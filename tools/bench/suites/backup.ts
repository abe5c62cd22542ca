import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { compareBackup, compareRestore } from '../backup/compare.ts';
import { openPlaces } from '../backup/places.ts';
import type { Suite } from '../suite.ts';

export const backup: Suite = {
  name: 'backup',
  about: 'Backing the whole cluster up and restoring it, in clear and encrypted, against copying the same files with the file system.',
  async run(bench) {
    const folder = path.join(bench.database.settings.home, 'copies');
    rmSync(folder, { recursive: true, force: true });
    // Root's server runs as another account, which must pass through here.
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    try {
      const places = await openPlaces(bench.database, folder);
      await compareBackup(bench, places);
      await compareRestore(bench, places);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

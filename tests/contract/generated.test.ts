import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { build } from '../../tools/commands/docs.ts';
import { projectFolder } from '../../tools/settings.ts';
import { cloneDatabase } from '../support/database.ts';

test('every generated page is what the database and the register say', async () => {
  const database = await cloneDatabase();
  const pages = await build(database.url('hospital_owner'), database.url('hospital_authenticator'));
  for (const [file, text] of pages) {
    const committed = await readFile(path.join(projectFolder, file), 'utf8').catch(() => '');
    assert.ok(committed === text, `${file} is stale. Run: npx infirmary docs build`);
  }
});

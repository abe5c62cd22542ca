import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { projectFolder } from '../tools/settings.ts';
import { cloneDatabase } from './support/database.ts';
import { judge, runTap } from './support/tap.ts';

/* One subtest and one database for each pgTAP file of tests/sql and tests/policies. */

const patterns = JSON.parse(process.env.INFIRMARY_TEST_PATTERNS ?? '[]') as string[];
const files = globSync('tests/{sql,policies}/**/*.sql', { cwd: projectFolder });
const wanted = files.filter(
  (file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)),
);

describe('pgTAP', { concurrency: 2 }, () => {
  for (const file of wanted.sort()) {
    test(file, async () => {
      const database = await cloneDatabase();
      try {
        const script = await readFile(path.join(projectFolder, file), 'utf8');
        const problems = judge(await runTap(database, script, file));
        assert.ok(problems.length === 0, `${file}\n${problems.join('\n')}`);
      } finally {
        await database.drop();
      }
    });
  }
});

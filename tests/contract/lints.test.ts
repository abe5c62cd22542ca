import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase } from '../support/database.ts';

/*
 * Each file of lints/ is a query that finds what breaks one rule of the house, in rows of one shape
 * (subject, problem). Each carries its own proof: statements that break the rule and mend it again.
 */
const folder = path.join(import.meta.dirname, 'lints');

interface Finding {
  subject: string;
  problem: string;
}

describe('The catalogue', { concurrency: 1 }, () => {
  let client: Client;
  before(async () => {
    const database = await cloneDatabase();
    client = new Client({ connectionString: database.url('postgres') });
    await client.connect();
    await client.query(`set session role hospital_owner; select set_config('search_path', '', false)`);
  });
  after(() => client.end());

  const find = async (query: string): Promise<string[]> =>
    (await client.query<Finding>(query)).rows.map(({ subject, problem }) => `${subject} ${problem}`).sort();

  for (const file of globSync('*.sql', { cwd: folder }).sort()) {
    const name = path.basename(file, '.sql').replaceAll('-', ' ');

    test(`follows the rule: ${name}.`, async () => {
      const { query } = await readLint(file);
      assert.deepEqual(await find(query), []);
    });

    test(`is seen to break the rule, and to be mended: ${name}.`, async () => {
      const { query, asPostgres, breaking, mending } = await readLint(file);
      await client.query('begin');
      try {
        const before = await find(query);
        if (asPostgres) await client.query('set local role none');
        await client.query(breaking);
        assert.ok((await find(query)).length > before.length, 'the lint sees what breaks the rule');
        await client.query(mending);
        assert.deepEqual(await find(query), before, 'the lint sees that it was mended');
      } finally {
        await client.query('rollback');
      }
    });
  }
});

interface Lint {
  query: string;
  /** Whether only a superuser can break the rule. */
  asPostgres: boolean;
  breaking: string;
  mending: string;
}

async function readLint(file: string): Promise<Lint> {
  const text = await readFile(path.join(folder, file), 'utf8');
  const proof = /^\/\* broken by( postgres)?\n([^]*?)\nmended by\n([^]*?)\n\*\/$/m.exec(text);
  assert.ok(proof, `${file} says how its rule is broken and mended`);
  return { query: text, asPostgres: Boolean(proof[1]), breaking: proof[2]!, mending: proof[3]! };
}

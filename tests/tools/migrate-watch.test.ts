import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { withClient } from '../../tools/database.ts';
import { migrate } from '../../tools/migrate/run.ts';
import { sign } from '../../tools/migrate/sign.ts';
import { applyOnce } from '../../tools/migrate/watch.ts';
import { emptyDatabase, type TestDatabase, testServer } from '../support/database.ts';
import { makeProject, type TestProject } from '../support/project.ts';

const living = 'sql/01-first/one.sql';
const body = (value: number): string =>
  `create or replace function vault.one()\n  returns integer\n  language sql immutable\nas $$\n  select ${value};\n$$;\n`;

describe('Watching, each time a file is saved', () => {
  let project: TestProject;
  let database: TestDatabase;
  let url: string;
  let said: string[];

  before(async () => {
    project = await makeProject({
      'migrations/current/010-vault.sql': 'create schema vault;\n',
      [living]: body(1),
    });
    await sign(project.root, await testServer(), 'first');
  });
  after(() => project.dispose());
  beforeEach(async () => {
    database = await emptyDatabase();
    url = database.url('hospital_owner');
    said = [];
    await project.write(living, body(1));
    await migrate(url, undefined, project.root);
  });

  const apply = (): Promise<string[]> => applyOnce(project.root, url, (line) => said.push(line));
  const one = async (): Promise<number> =>
    withClient(url, async (client) => (await client.query('select vault.one() as one')).rows[0].one);

  test('applies what has changed since the last time, and nothing else.', async () => {
    assert.deepEqual(await apply(), []);
    await project.write(living, body(2));
    assert.deepEqual(await apply(), [living]);
    assert.equal(await one(), 2);
    assert.deepEqual(await apply(), []);
    assert.match(said.join('\n'), /^Applied sql\/01-first\/one\.sql in \d+ ms\.$/);
  });

  test('applies a file that was changed back to what is signed.', async () => {
    await project.write(living, body(2));
    await apply();
    await project.write(living, body(1));
    assert.deepEqual(await apply(), [living]);
    assert.equal(await one(), 1);
  });

  test('applies a hand-written file once, and says what to do when it cannot run a second time.', async () => {
    const file = 'migrations/current/020-table.sql';
    await project.write(file, 'create table vault.things (id bigint);\n');
    assert.deepEqual(await apply(), [file]);
    assert.deepEqual(await apply(), []);
    await project.write(file, 'create table vault.things (id bigint, name text);\n');
    await assert.rejects(apply(), /020-table\.sql.* already exists/);
    assert.match(said.join('\n'), /If it cannot run twice, begin anew: infirmary db reset --erase/);
    await project.remove(file);
  });

  test('says file, line and column of an error, and has applied nothing then.', async () => {
    await project.write(living, body(2).replace('select', 'selekt'));
    await assert.rejects(
      apply(),
      /sql\/01-first\/one\.sql:5:3 syntax error[^]*5 \| {3}selekt 2;\n {6}\s+\^/,
    );
    assert.equal(await one(), 1);
  });

  test('A migration that meets what was applied unsigned says so.', async () => {
    await project.write('migrations/current/020-more.sql', 'create table vault.more (id bigint);\n');
    await apply();
    await sign(project.root, await testServer(), 'more');
    await assert.rejects(migrate(url, undefined, project.root), (error: Error & { remedy?: string }) => {
      assert.match(error.message, /already exists/);
      assert.match(error.remedy ?? '', /holds unsigned changes\. Begin anew/);
      return true;
    });
  });
});

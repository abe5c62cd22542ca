import assert from 'node:assert/strict';
import { cp, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { sign } from '../../tools/migrate/sign.ts';
import { verify } from '../../tools/migrate/verify.ts';
import { projectFolder } from '../../tools/settings.ts';
import { testServer } from '../support/database.ts';
import { makeProject, type TestProject } from '../support/project.ts';

test('The migrations of this repository hold.', async () => {
  assert.deepEqual((await verify(projectFolder)).problems, []);
});

describe('Verifying', () => {
  const first = 'migrations/committed/000001-first.sql';
  const second = 'migrations/committed/000002-second.sql';
  const living = 'sql/01-first/one.sql';
  let signed: TestProject;
  let project: TestProject;

  before(async () => {
    const body = (value: number): string =>
      `create or replace function vault.one()\n  returns integer\n  language sql immutable\nas $$\n  select ${value};\n$$;\n`;
    signed = await makeProject({
      'migrations/current/010-vault.sql': 'create schema vault;\n',
      [living]: body(1),
    });
    await sign(signed.root, await testServer(), 'first');
    await signed.write('migrations/current/020-table.sql', 'create table vault.things (id bigint);\n');
    await signed.write(living, body(2));
    await sign(signed.root, await testServer(), 'second');
  });
  const made: TestProject[] = [];
  beforeEach(async () => {
    project = await makeProject({});
    made.push(project);
    await cp(signed.root, project.root, { recursive: true });
  });
  after(() => Promise.all([signed, ...made].map((one) => one.dispose())));

  const problems = async (): Promise<string> => (await verify(project.root)).problems.join('\n');

  test('An untouched history has no problem.', async () => {
    assert.equal(await problems(), '');
  });

  test('One changed character anywhere in a committed migration is caught, and the file is named.', async () => {
    const text = await readFile(path.join(signed.root, first), 'utf8');
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'x' ? 'y' : 'x';
      await project.write(first, text.slice(0, at) + other + text.slice(at + 1));
      assert.match(
        await problems(),
        /000001-first\.sql|does not follow/,
        `character ${at}, ${JSON.stringify(text[at])}`,
      );
    }
    await project.write(first, `${text}\n`);
    assert.match(await problems(), /000001-first\.sql was changed after it was signed: restore it/);
  });

  test('A migration missing at the beginning is caught.', async () => {
    await project.remove(first);
    assert.match(await problems(), /number 1 is missing before 000002-second\.sql: restore/);
  });

  test('A migration missing at the end is caught.', async () => {
    await project.remove(second);
    assert.match(await problems(), /HEAD names another newest migration/);
  });

  test('Migrations in another order are caught.', async () => {
    await rename(path.join(project.root, first), path.join(project.root, 'swap'));
    await rename(
      path.join(project.root, second),
      path.join(project.root, 'migrations/committed/000001-second.sql'),
    );
    await rename(
      path.join(project.root, 'swap'),
      path.join(project.root, 'migrations/committed/000002-first.sql'),
    );
    assert.match(await problems(), /000001-second\.sql does not follow on the file before it/);
  });

  test('A foreign file among the signed ones is caught.', async () => {
    await project.write('migrations/committed/000003-mine.sql', 'drop schema vault;\n');
    assert.match(await problems(), /000003-mine\.sql is not a signed migration/);
  });

  test('A living file that differs from its signed copy, or never had one, is named with the remedy.', async () => {
    await project.edit(living, (text) => text.replace('select 2', 'select 3'));
    await project.write('sql/01-first/two.sql', 'select 2;\n');
    assert.match(
      await problems(),
      /one\.sql differs from its newest signed copy: sign it with `infirmary migrate sign/,
    );
    assert.match(await problems(), /two\.sql was never signed: sign it/);
  });

  test('A hand-written file that is not signed is named.', async () => {
    await project.write('migrations/current/030-more.sql', 'select 1;\n');
    assert.match(await problems(), /030-more\.sql is not signed: sign it/);
  });

  test('A signed source that vanished needs its removal and its drop.', async () => {
    await project.remove(living);
    assert.match(
      await problems(),
      /one\.sql was signed and is gone: put it back, or write its drop .*-- source removed: sql\/01-first\/one\.sql/,
    );
    await project.write('migrations/current/030-drop.sql', `-- source removed: ${living}\nselect 1;\n`);
    await sign(project.root, await testServer(), 'third');
    assert.match(await problems(), /000003-third\.sql says that .*one\.sql was removed but drops nothing/);
    await project.write(
      'migrations/current/040-drop.sql',
      `-- source removed: ${living}\ndrop function vault.one();\n`,
    );
    await sign(project.root, await testServer(), 'fourth');
    assert.equal(await problems(), '');
  });

  test('A source that comes back after its removal must be signed again.', async () => {
    const text = await readFile(path.join(project.root, living), 'utf8');
    await project.remove(living);
    await project.write(
      'migrations/current/030-drop.sql',
      `-- source removed: ${living}\ndrop function vault.one();\n`,
    );
    await sign(project.root, await testServer(), 'third');
    await project.write(living, text);
    assert.match(await problems(), /one\.sql differs from its newest signed copy/);
  });

  test('An include, which graphile-migrate would ignore, is refused.', async () => {
    await project.edit(living, (text) => `${text}--! include other.sql\n`);
    assert.match(await problems(), /one\.sql contains "--! include other\.sql"/);
  });
});

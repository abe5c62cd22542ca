import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { sign } from '../../tools/migrate/sign.ts';
import { readChange, stage } from '../../tools/migrate/stage.ts';
import { unsign } from '../../tools/migrate/unsign.ts';
import { verify } from '../../tools/migrate/verify.ts';
import { testServer } from '../support/database.ts';
import { makeProject, type TestProject } from '../support/project.ts';

const files = {
  'migrations/current/010-tables.sql':
    'create schema ward;\ncreate table ward.beds (id bigint primary key);\n',
  'sql/01-first/count_beds.sql':
    'create or replace function ward.count_beds()\n  returns bigint\n  language sql stable\n' +
    'as $$\n  select ward.count_all();\n$$;\n',
  'sql/02-second/count_all.sql':
    'create or replace function ward.count_all()\n  returns bigint\n  language sql stable\n' +
    'as $$\n  select count(*) from ward.beds;\n$$;\n',
  'sql/queries/beds.sql': 'select * from ward.beds;\n',
  'policies/doctor.sql': 'grant usage on schema ward to hospital_doctor;\n',
  'policies/owner.sql': 'alter table ward.beds enable row level security;\n',
};

describe('Staging and signing', { concurrency: 1 }, () => {
  let project: TestProject;
  const made: TestProject[] = [];
  beforeEach(async () => {
    project = await makeProject(files);
    made.push(project);
  });
  after(() => Promise.all(made.map((one) => one.dispose())));

  test('Living files are staged in order: a prologue, chapters, then policies with the owner first.', async () => {
    const staged = await stage(project.root, await readChange(project.root));
    assert.deepEqual(
      staged.map((file) => path.basename(file)),
      [
        '500-prologue.sql',
        '501-01-first-count_beds.sql',
        '502-02-second-count_all.sql',
        '503-policies-owner.sql',
        '504-policies-doctor.sql',
      ],
    );
    const copy = await readFile(path.join(project.root, staged[3]!), 'utf8');
    assert.equal(copy, `-- source: policies/owner.sql\n${files['policies/owner.sql']}`);
  });

  test('More than 99 living files are numbered with four digits.', async () => {
    for (let index = 0; index < 120; index++) {
      await project.write(`sql/03-many/f${String(index).padStart(3, '0')}.sql`, `select ${index};\n`);
    }
    const staged = await stage(project.root, await readChange(project.root));
    assert.equal(path.basename(staged[0]!), '5000-prologue.sql');
    assert.equal(path.basename(staged.at(-1)!), '5124-policies-doctor.sql');
  });

  test('Signing makes one read-only migration, empties current, and verifies.', async () => {
    const signed = await sign(project.root, await testServer(), 'beds');
    assert.equal(signed.file, 'migrations/committed/000001-beds.sql');
    assert.equal(signed.sources.length, 4);
    assert.deepEqual(await readdir(path.join(project.root, 'migrations/current')), []);
    assert.deepEqual(await verify(project.root), { migrations: 1, sources: 4, problems: [] });
  });

  test('Signing again has nothing to sign; a changed living file is signed alone.', async () => {
    const server = await testServer();
    await sign(project.root, server, 'beds');
    await assert.rejects(sign(project.root, server, 'nothing'), /nothing to sign/);
    await project.edit('sql/02-second/count_all.sql', (text) => text.replace('count(*)', 'count(id)'));
    assert.match(
      (await verify(project.root)).problems.join(),
      /count_all\.sql differs .*infirmary migrate sign/,
    );
    const { sources } = await sign(project.root, server, 'count-ids');
    assert.deepEqual(sources, ['sql/02-second/count_all.sql']);
    assert.deepEqual((await verify(project.root)).problems, []);
  });

  test('An error names file, line and column, and leaves nothing signed and nothing staged.', async () => {
    await project.edit('sql/02-second/count_all.sql', (text) => `-- Ünïcode 🩺\n${text}selekt 1;\n`);
    await assert.rejects(
      sign(project.root, await testServer(), 'beds'),
      /sql\/02-second\/count_all\.sql:8:1 syntax error/,
    );
    assert.deepEqual(await readdir(path.join(project.root, 'migrations/committed')), []);
    assert.deepEqual(await readdir(path.join(project.root, 'migrations/current')), ['010-tables.sql']);
  });

  test('Everything that keeps a migration from being signed is said at once.', async () => {
    await project.write('sql/01-first/include.sql', '--!include functions/x.sql\n');
    await project.write('sql/01-first/windows.sql', 'select 1;\r\n');
    await project.write('sql/01-first/empty.sql', '\n');
    await assert.rejects(sign(project.root, await testServer(), 'Bad Name'), (error: Error) => {
      assert.match(error.message, /include\.sql contains "--!include functions\/x\.sql"/);
      assert.match(error.message, /windows\.sql has CR/);
      assert.match(error.message, /empty\.sql is empty/);
      assert.match(error.message, /"Bad Name" is no name/);
      return true;
    });
  });

  test('Taking the newest migration back restores its hand-written files.', async () => {
    await sign(project.root, await testServer(), 'beds');
    const { restored } = await unsign(project.root);
    assert.deepEqual(restored, ['migrations/current/010-tables.sql']);
    const text = await readFile(path.join(project.root, restored[0]!), 'utf8');
    assert.equal(text, files['migrations/current/010-tables.sql']);
    assert.deepEqual(await readdir(path.join(project.root, 'migrations/committed')), []);
  });
});

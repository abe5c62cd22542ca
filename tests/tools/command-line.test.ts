import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { readSecrets } from '../../tools/cluster/secrets.ts';
import { reset, sql, status, url } from '../../tools/commands/db.ts';
import { describe, Failure, UsageError } from '../../tools/failure.ts';
import { projectFolder, type Settings } from '../../tools/settings.ts';
import { drawTable } from '../../tools/terminal.ts';
import { acquireServer, makeSettings, valueOf } from '../support/cluster.ts';

function infirmary(
  settings: Settings,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; printed: string; told: string }> {
  const cli = path.join(projectFolder, 'tools/cli.ts');
  const options = { env: { PATH: process.env.PATH, INFIRMARY_HOME: settings.home, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], options, (error, printed, told) =>
      resolve({ code: Number(error?.code ?? 0), printed, told }),
    );
  });
}

/** A database that holds nothing, but is there and has its owner. */
async function makeDatabase(settings: Settings): Promise<() => Promise<void>> {
  const server = await acquireServer(settings);
  const password = readSecrets(settings).passwords.hospital_owner;
  await valueOf(server.url('postgres'), `create role hospital_owner login password '${password}'`);
  await valueOf(server.url('postgres'), 'create database hospital owner hospital_owner');
  return server.release;
}

test('wrong usage ends with 2, a failure with 1, help with 0', async (t) => {
  const settings = makeSettings(t);
  assert.equal((await infirmary(settings, ['nonsense'])).code, 2);
  assert.equal((await infirmary(settings, ['db', 'status', '--nonsense'])).code, 2);
  assert.equal((await infirmary(settings, ['db', 'url'])).code, 1);
  assert.equal((await infirmary(settings, ['--help'])).code, 0);
});

test('a foreseen failure is told once, with its remedy and without a stack', async (t) => {
  const { code, printed, told } = await infirmary(makeSettings(t), ['db', 'status'], { PORT: 'x' });
  assert.deepEqual({ code, printed }, { code: 1, printed: '' });
  assert.equal(told.match(/PORT must be/g)?.length, 1);
  assert.match(told, /Correct or unset these variables/);
  assert.doesNotMatch(told, /\n +at /);
});

test('an unforeseen one points to --debug, and shows its stack only there', () => {
  const error = new TypeError('surprise');
  assert.match(describe(error), /surprise\n.*--debug/);
  assert.doesNotMatch(describe(error), /command-line\.test/);
  assert.match(describe(error, true), /command-line\.test/);
});

test('nothing is erased without --erase', async (t) => {
  const settings = makeSettings(t);
  await assert.rejects(reset(settings, false), UsageError);
  assert.equal((await infirmary(settings, ['db', 'reset'])).code, 2);
});

test('db status --json prints one object, and starts nothing', async (t) => {
  const settings = makeSettings(t);
  const { printed } = await infirmary(settings, ['db', 'status', '--json']);
  assert.deepEqual(JSON.parse(printed), await status(settings));
  assert.equal(JSON.parse(printed).running, false);
});

test('db sql prints rows as a drawn table, or as JSON', async (t) => {
  const settings = makeSettings(t);
  const release = await makeDatabase(settings);
  const query = `select 1 as one, 'Ada' as name, null as nothing, date '2026-03-01' as day, 12345678901 as big, '{"a": 1}'::jsonb as doc`;
  const { printed } = await infirmary(settings, ['db', 'sql', query, '--json']);
  const row = { one: 1, name: 'Ada', nothing: null, day: '2026-03-01', big: '12345678901', doc: { a: 1 } };
  assert.deepEqual(JSON.parse(printed), { rows: [row] });
  const drawn = await infirmary(settings, [
    'db',
    'sql',
    `select * from (values (1, 'a'), (20, 'bcd')) as v (n, text)`,
  ]);
  assert.equal(drawn.printed, ' n  | text\n----+------\n  1 | a\n 20 | bcd\n(2 rows)\n');
  await release();
});

test('db sql tells what is wrong with the SQL, and ends with 1', async (t) => {
  const settings = makeSettings(t);
  const release = await makeDatabase(settings);
  const { code, told } = await infirmary(settings, ['db', 'sql', 'select nonsense']);
  assert.equal(code, 1);
  assert.equal(told, 'ERROR 42703: column "nonsense" does not exist\n');
  await release();
});

test('of several statements, db sql prints what the last one answered', async (t) => {
  const settings = makeSettings(t);
  const release = await makeDatabase(settings);
  const answer = await sql(
    settings,
    'create table t (a integer); insert into t values (1), (2); select sum(a) from t',
  );
  assert.deepEqual(answer.rows, [['3']]);
  await release();
});

test('without a database, the remedy is to set the hospital up', async (t) => {
  const settings = makeSettings(t);
  await assert.rejects(
    sql(settings, 'select 1'),
    (error: unknown) => error instanceof Failure && /npm start/.test(error.remedy ?? ''),
  );
});

test('db url is the owner’s, of a server that runs', async (t) => {
  const settings = makeSettings(t);
  await assert.rejects(url(settings), Failure);
  const release = await makeDatabase(settings);
  assert.equal(await valueOf(await url(settings), 'select current_user::text'), 'hospital_owner');
  await release();
});

test('a table without rows is drawn with its heading', () => {
  assert.equal(drawTable(['a', 'b'], []), ' a | b\n---+---\n(0 rows)');
});

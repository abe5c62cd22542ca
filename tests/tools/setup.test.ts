import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { projectFolder } from '../../tools/settings.ts';

/** A project with one dependency, and an npm that notes each call and installs as package-lock.json says. */
function makeProject(t: TestContext): { folder: string; lock(version: string): void; installs(): number } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-setup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(path.join(folder, 'tools'));
  copyFileSync(path.join(projectFolder, 'tools/setup.mjs'), path.join(folder, 'tools/setup.mjs'));
  writeFileSync(
    path.join(folder, 'npm-cli.js'),
    `const fs = require('node:fs');
     fs.appendFileSync('calls', process.argv[2] + '\\n');
     if (fs.existsSync('broken')) process.exit(1);
     fs.rmSync('node_modules', { recursive: true, force: true });
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
     fs.mkdirSync('node_modules');
     fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');`,
  );
  const lock = (version: string): void => {
    const packages = {
      '': {},
      'node_modules/one': { version },
      'node_modules/elsewhere': { version, optional: true },
    };
    writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  };
  lock('1.0.0');
  const calls = path.join(folder, 'calls');
  const installs = (): number =>
    existsSync(calls)
      ? readFileSync(calls, 'utf8')
          .split('\n')
          .filter((call) => call === 'ci').length
      : 0;
  return { folder, lock, installs };
}

function setUp(folder: string): Promise<{ code: number; told: string }> {
  const env = { ...process.env, npm_execpath: path.join(folder, 'npm-cli.js') };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(folder, 'tools/setup.mjs')], { env }, (error, _, told) =>
      resolve({ code: Number(error?.code ?? 0), told }),
    );
  });
}

test('a fresh clone is installed once, in one line, and then left alone without a word', async (t) => {
  const { folder, installs } = makeProject(t);
  assert.deepEqual(await setUp(folder), {
    code: 0,
    told: 'Installing dependencies (npm ci), once; about half a minute…\n',
  });
  assert.deepEqual(await setUp(folder), { code: 0, told: '' });
  assert.equal(installs(), 1);
});

test('a changed lock file, and a removed node_modules, are installed anew', async (t) => {
  const { folder, lock, installs } = makeProject(t);
  await setUp(folder);
  lock('1.0.1');
  await setUp(folder);
  assert.equal(installs(), 2);
  rmSync(path.join(folder, 'node_modules'), { recursive: true });
  await setUp(folder);
  assert.equal(installs(), 3);
});

test('what npm ci by hand has installed is not installed again', async (t) => {
  const { folder, installs } = makeProject(t);
  mkdirSync(path.join(folder, 'node_modules'));
  copyFileSync(path.join(folder, 'package-lock.json'), path.join(folder, 'node_modules/.package-lock.json'));
  assert.deepEqual(await setUp(folder), { code: 0, told: '' });
  assert.equal(installs(), 0);
});

test('commands started at once install once, and each waits for it', async (t) => {
  const { folder, installs } = makeProject(t);
  const results = await Promise.all([setUp(folder), setUp(folder), setUp(folder)]);
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(installs(), 1);
});

test('a failed installation says what to do, and is tried again next time', async (t) => {
  const { folder, installs } = makeProject(t);
  writeFileSync(path.join(folder, 'broken'), '');
  const { code, told } = await setUp(folder);
  assert.equal(code, 1);
  assert.match(told, /npm ci failed[^]*then run npm ci there/);
  rmSync(path.join(folder, 'broken'));
  assert.equal((await setUp(folder)).code, 0);
  assert.equal(installs(), 2);
});

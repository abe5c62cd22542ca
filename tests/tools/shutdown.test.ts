import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive } from '../../tools/cluster/processes.ts';
import { projectFolder } from '../../tools/settings.ts';
import { onShutdown, shutDown } from '../../tools/shutdown.ts';

/** A process that runs `body` with the functions of shutdown.ts, and its first words. */
async function run(body: string): Promise<{ child: ChildProcess; said: () => string }> {
  const program = `
    import { onShutdown, requestStop, stopOnSignals, whenParentEnds } from '${projectFolder}/tools/shutdown.ts';
    import { spawn } from 'node:child_process';
    ${body}
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(child.stdout, 'data');
  return { child, said: () => said };
}

test('what was begun is undone newest first, once, and a failure does not keep the rest', async () => {
  const order: string[] = [];
  const undoFirst = onShutdown(async () => void order.push('first'));
  onShutdown(async () => {
    order.push('second');
    throw new Error('stuck');
  });
  onShutdown(async () => void order.push('third'));
  const failures: unknown[] = [];
  await shutDown((error) => failures.push(error));
  await undoFirst();
  await shutDown();
  assert.deepEqual(order, ['third', 'second', 'first']);
  assert.equal(failures.length, 1);
});

test('a signal undoes everything and ends the process as the command wishes', async () => {
  const { child, said } = await run(`
    stopOnSignals(console.log, 0);
    onShutdown(async () => console.log('undone'));
    console.log('ready');`);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(said(), 'ready\nundone\n');
});

test('one Ctrl-C that arrives twice is one; a second one later forces the end', async () => {
  const { child, said } = await run(`
    stopOnSignals(console.log);
    onShutdown(() => new Promise(() => console.log('stopping')), () => console.log('forced'));
    console.log('ready');`);
  child.kill('SIGINT');
  while (!said().includes('stopping')) await sleep(10);
  child.kill('SIGINT');
  await sleep(200);
  assert.equal(child.exitCode, null);
  await sleep(1000);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [1, null]);
  assert.equal(said(), 'ready\nstopping\nforced\n');
});

test('a process whose parent was killed ends in order by itself', async () => {
  const inner = `
    import { requestStop, whenParentEnds } from '${projectFolder}/tools/shutdown.ts';
    whenParentEnds(() => requestStop(console.log, 0));
    console.log(process.pid);
    setInterval(() => {}, 1000);`;
  const { child, said } = await run(
    `spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(inner)}], { stdio: 'inherit' });`,
  );
  const orphan = identityOf(Number(said()));
  assert.ok(orphan);
  child.kill('SIGKILL');
  while (isAlive(orphan)) await sleep(50);
});

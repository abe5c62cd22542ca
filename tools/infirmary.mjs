#!/usr/bin/env node
// The command `infirmary`. Safe on Node 20: it installs what is missing and hands over to a Node that runs
// our TypeScript, which npm brings along.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, suitableNode } from './setup.mjs';

const problem = ensureInstalled();
if (problem) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
} else if (suitableNode() === process.execPath) {
  await import('./cli.ts');
} else {
  handOver(suitableNode());
}

function handOver(node) {
  const self = fileURLToPath(import.meta.url);
  const cli = path.join(path.dirname(self), 'cli.ts');
  // When npx is killed it tells nobody: the child watches our parent as well as us.
  const env = { ...process.env, INFIRMARY_PARENT: String(process.ppid) };
  const child = spawn(node, [cli, ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Error: ${node} does not start: ${error.message}\n  Run npm ci.\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}

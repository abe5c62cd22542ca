// Installs the dependencies when node_modules is missing or no longer what package-lock.json asks for.
// It must run on Node 20, with nothing installed: plain JavaScript, and no imports but Node's own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const project = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = path.join(project, 'node_modules');
const stamp = path.join(modules, '.infirmary-installed');

/** Whether a version of Node runs our TypeScript by itself. */
export function runsTypeScript(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** The Node that runs the project: the one we are, if new enough, else the one npm installed. */
export function suitableNode() {
  if (runsTypeScript(process.version)) return process.execPath;
  const { platform, arch } = process;
  const windows = platform === 'win32';
  const name = `node-${windows ? 'win' : platform}-${arch}`;
  const installed = path.join(modules, name, 'bin', windows ? 'node.exe' : 'node');
  return existsSync(installed) ? installed : undefined;
}

/** Installs what is missing. Returns an error message, or undefined when everything is in place. */
export function ensureInstalled() {
  const wanted = createHash('sha256')
    .update(readFileSync(path.join(project, 'package-lock.json')))
    .digest('hex');
  const isCurrent = () =>
    existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && suitableNode() !== undefined;
  if (isCurrent()) return undefined;
  const unlock = lock();
  try {
    // npm keeps its own record of what it installed: an `npm ci` by hand needs no second one. And another
    // command may have installed everything while we waited.
    if (!isCurrent() && !isInstalledByHand()) {
      process.stderr.write('Installing dependencies (npm ci), once; about half a minute…\n');
      const problem = install();
      if (problem) return problem;
    }
    if (!suitableNode()) {
      return `Error: Node ${process.version} is too old, and npm brings none for this platform.\n  Install Node 24.`;
    }
    remember(wanted);
  } finally {
    unlock();
  }
  return undefined;
}

function remember(wanted) {
  try {
    writeFileSync(stamp, wanted);
  } catch (error) {
    // Somebody else's node_modules, complete: usable as it is.
    if (error.code !== 'EACCES' && error.code !== 'EROFS') throw error;
  }
}

/** Waits until no other process installs here: two `npm ci` at once destroy each other's work. */
function lock() {
  const name = createHash('sha256').update(project).digest('hex').slice(0, 16);
  const file = path.join(os.tmpdir(), `infirmary-install-${process.getuid?.() ?? 0}-${name}`);
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isEnded(file)) rmSync(file, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
}

/** Whether the process that holds a lock was killed. */
function isEnded(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    // Empty: it is just being written.
    return pid > 0 && !process.kill(pid, 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Whether node_modules holds every package of the lock file, in its version (those for other platforms apart). */
function isInstalledByHand() {
  try {
    const read = (file) => JSON.parse(readFileSync(path.join(project, file), 'utf8')).packages;
    const installed = read('node_modules/.package-lock.json');
    return Object.entries(read('package-lock.json')).every(
      ([name, { version, optional }]) =>
        name === '' || installed[name]?.version === version || (optional && !installed[name]),
    );
  } catch {
    return false;
  }
}

function install() {
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm'];
  const { status, error } = spawnSync(command, [...args, 'ci', '--no-progress'], {
    cwd: project,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (status === 0) return undefined;
  const reason = error?.message ?? 'see above';
  return `Error: npm ci failed (${reason}).\n  Check the network and that you may write in ${project}, then run npm ci there.`;
}

if (process.argv[1] && fileURLToPath(import.meta.url) === path.resolve(process.argv[1])) {
  const problem = ensureInstalled();
  if (problem) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
  }
}

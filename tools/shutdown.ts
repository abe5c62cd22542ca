import { identityOf, isAlive, parentOf, programOf } from './cluster/processes.ts';

/**
 * What has to be undone before this process may end, last in first out: a command that is interrupted
 * must leave no server, worker or pool running.
 */
interface Undo {
  undo: () => Promise<void>;
  force: () => void;
}

const undos: Undo[] = [];

/**
 * Registers something to undo at the end. The function returned undoes it now, once, however often it
 * is called and whoever comes first.
 * @param force what can still be done at once, without waiting, when somebody has lost patience
 */
export function onShutdown(undo: () => Promise<void>, force: () => void = () => {}): () => Promise<void> {
  let done: Promise<void> | undefined;
  const entry: Undo = {
    force,
    undo: () => {
      done ??= undo().finally(() => {
        const index = undos.indexOf(entry);
        if (index >= 0) undos.splice(index, 1);
      });
      return done;
    },
  };
  undos.push(entry);
  return entry.undo;
}

/** Undoes everything registered, newest first. A part that fails is reported and does not keep the rest. */
export async function shutDown(report: (error: unknown) => void = () => {}): Promise<void> {
  for (let last = undos.at(-1); last; last = undos.at(-1)) {
    await last.undo().catch(report);
  }
}

/** Whether a signal has already asked this process to end. */
export function isShuttingDown(): boolean {
  return asked !== undefined;
}

let asked: number | undefined;

/**
 * On SIGINT, SIGTERM or SIGHUP, undoes everything and exits with 128 + signal, or with `exitCode` where
 * being stopped is the normal end. A second signal a second or more after the first exits at once: npm
 * passes on the Ctrl-C that the terminal has already sent us, so the same keystroke arrives twice.
 */
export function stopOnSignals(report: (error: unknown) => void, exitCode?: number): void {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
  for (const [name, number] of Object.entries(numbers)) {
    process.removeAllListeners(name);
    process.on(name, () => requestStop(report, exitCode ?? 128 + number));
  }
}

/** Begins the orderly end of this process, or forces it when that began a second or more ago. */
export function requestStop(report: (error: unknown) => void, exitCode: number): void {
  if (asked === undefined) {
    asked = Date.now();
    void shutDown(report).then(() => process.exit(exitCode));
  } else if (Date.now() - asked >= 1000) {
    for (const { force } of undos.toReversed()) force();
    process.exit(1);
  }
}

/**
 * Calls `gone` once when whoever started us has ended: npm and npx, killed, pass nothing on.
 *
 * That is our parent; the parent of tools/infirmary.mjs, which names it in INFIRMARY_PARENT when it stands
 * between; and npm itself, since npx puts a shell between that outlives it.
 */
export function whenParentEnds(gone: () => void): void {
  const parent = process.ppid;
  const starter = Number(process.env.INFIRMARY_PARENT) || parent;
  // A child of init was started to stay: by a supervisor, or as the first process of a container.
  if (starter <= 1) return;
  const watched = [starter, npmAbove(starter)].flatMap((pid) => (pid && identityOf(pid)) || []);
  const timer = setInterval(() => {
    if (process.ppid === parent && watched.every(isAlive)) return;
    clearInterval(timer);
    gone();
  }, 500);
  timer.unref();
}

function npmAbove(pid: number): number | undefined {
  const above = parentOf(pid);
  return [pid, above].find((each) => each !== undefined && programOf(each)?.startsWith('npm'));
}

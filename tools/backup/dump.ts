import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Server } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { Failure, UsageError } from '../failure.ts';
import { prepareDatabase } from '../migrate/database.ts';

/** How a database was dumped: by a program of the server's own kind, or by the one that npm brings. */
export interface Dump {
  file: string;
  format: 'custom' | 'plain';
  by: string;
}

/**
 * Writes the hospital's database, as statements and not as files, so that another version may read it: by a pg_dump
 * no older than the server where there is one, else, or as plain SQL, by the one compiled to WebAssembly.
 */
export async function dumpDatabase(
  server: Server,
  database: string,
  file: string,
  { binDir, asSql = false }: { binDir?: string | undefined; asSql?: boolean } = {},
): Promise<Dump> {
  if (existsSync(file)) throw new UsageError(`${file} is there already.`);
  // What is dumped is every patient: the file is its owner's alone from the beginning.
  await (await open(file, 'wx', 0o600)).close();
  try {
    const url = server.url('hospital_backup', database);
    const program = asSql ? undefined : findProgram('pg_dump', server.version, binDir);
    if (program) runProgram(program, url, ['--format=custom', `--file=${file}`]);
    else await writeFile(file, await dumpByWasm(url));
    return { file, format: program ? 'custom' : 'plain', by: program ?? 'pg_dump from npm' };
  } catch (error) {
    // Half a dump looks like one.
    await rm(file, { force: true });
    throw error;
  }
}

/** Runs a program of PostgreSQL's with our database. Passwords on a command line are everybody's to see. */
function runProgram(program: string, url: string, args: string[]): void {
  const shown = new URL(url);
  shown.password = '';
  // A parameter of the driver's own, unknown to the programs.
  shown.searchParams.delete('uselibpqcompat');
  const { status, stderr, error } = spawnSync(program, [...args, `--dbname=${shown.href}`], {
    env: { ...process.env, PGPASSWORD: decodeURIComponent(new URL(url).password) },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Failure(`${program} failed: ${error?.message ?? stderr.trim()}`);
}

function findProgram(name: 'pg_dump' | 'pg_restore', version: number, binDir: string | undefined): string | undefined {
  const found = [
    ...(binDir ? [path.join(binDir, name)] : []),
    ...globSync(`/usr/lib/postgresql/*/bin/${name}`).sort(),
    name,
  ];
  return found.find((program) => {
    const answer = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '';
    return Number(/ (\d+)/.exec(answer)?.[1]) >= version;
  });
}

/**
 * The program calls a function to send bytes and expects the answer when that returns, so a thread of its own
 * (dump-socket.ts) keeps the connection while this one waits.
 */
async function dumpByWasm(url: string): Promise<string> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { port1: port, port2: other } = new MessageChannel();
  const socket = new Worker(new URL('./dump-socket.ts', import.meta.url), {
    workerData: { url, flag, port: other },
    transferList: [other],
  });
  try {
    await once(socket, 'message');
    const { pgDump } = await import('@electric-sql/pglite-tools/pg_dump');
    const connection = {
      query: () => Promise.resolve({ rows: [{ search_path: 'pg_catalog' }] }),
      exec: () => Promise.resolve(),
      execProtocolRawStream: (bytes: Uint8Array, { onRawData }: { onRawData(bytes: Uint8Array): void }) => {
        Atomics.store(flag, 0, 0);
        port.postMessage(Uint8Array.from(bytes));
        Atomics.wait(flag, 0, 0);
        const answer = receiveMessageOnPort(port)?.message as Uint8Array | undefined;
        if (answer?.length) onRawData(answer);
      },
    };
    const dump = await pgDump({
      pg: connection as unknown as Parameters<typeof pgDump>[0]['pg'],
      args: ['--rows-per-insert=500'],
    });
    return await dump.text();
  } finally {
    await socket.terminate();
  }
}

/**
 * Loads a dump into a database that is empty, or created for it, whole or not at all. The roles must be there.
 * @throws Failure when the database is not empty
 */
export async function loadDump(
  server: Server,
  database: string,
  file: string,
  { binDir }: { binDir?: string | undefined } = {},
): Promise<void> {
  const isCustom = (await readBeginning(file)) === 'PGDMP';
  const program = isCustom ? findProgram('pg_restore', server.version, binDir) : undefined;
  if (isCustom && !program) {
    throw new Failure(`${file} is for a pg_restore of version ${server.version} or newer, and there is none.`, 'Name its folder: PG_BIN_DIR');
  }
  await prepareDatabase(server, database);
  const url = server.url('postgres', database);
  await withClient(url, async (client) => {
    const { rows } = await ask(client, `select to_regnamespace('hospital') is not null`);
    if (rows[0]?.[0]) throw new Failure(`The database "${database}" is not empty.`, 'Name a new one: it is created.');
    if (program) return runProgram(program, url, ['--single-transaction', '--exit-on-error', file]);
    const whole = await readFile(file, 'utf8');
    // The program is of 18 and begins with a setting that came with 17.
    const text = server.version < 17 ? whole.replace(/^SET transaction_timeout = 0;$/m, '') : whole;
    await client.query(`begin; ${text}; commit`);
  });
}

async function readBeginning(file: string): Promise<string> {
  const handle = await open(file);
  try {
    return (await handle.read(Buffer.alloc(5), 0, 5, 0)).buffer.toString('latin1');
  } finally {
    await handle.close();
  }
}

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { check as checkSequences } from '../commands/sequences.ts';
import { ask, withClient } from '../database.ts';
import { codeOf, messageOf } from '../failure.ts';
import { onShutdown } from '../shutdown.ts';
import type { Settings } from '../settings.ts';
import { type Facts, takeSnapshot } from './facts.ts';
import { askAsPersonas } from './personas.ts';
import type { Repository } from './repository.ts';
import { type Restored, restoreInto } from './restore.ts';
import type { Target } from './wal-server.ts';

/** One thing a drill looked at. */
export interface Check {
  name: string;
  /** Null for what could not be checked here; `found` says why. */
  passed: boolean | null;
  found: string;
  seconds: number;
}

/** What a drill found. */
export interface Drill {
  backup: string;
  startedAt: string;
  finishedAt: string;
  /** From nothing to a server that takes writes. */
  restoreSeconds: number;
  /** The last commit that was restored, or null where none was replayed. */
  recoveryPoint: string | null;
  passed: boolean;
  checks: Check[];
}

/** What a drill is to restore. */
export interface DrillWish {
  name?: string | undefined;
  target: Target;
  /** An empty or new folder for the scratch cluster, removed at the end. */
  scratch: string;
  onProgress?(bytes: number): void;
}

type Finding = [passed: boolean | null, found: string];

/** Restores a backup into a scratch cluster, looks whether everything is there and works, and throws it away. */
export async function drill(settings: Settings, repository: Repository, wish: DrillWish): Promise<Drill> {
  const began = Date.now();
  const tidy = onShutdown(async () => rmSync(wish.scratch, { recursive: true, force: true }));
  // Root's server runs as another account, which must pass through here.
  mkdirSync(wish.scratch, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const [into, tablespaces] = ['cluster', 'tablespaces'].map((name) => path.join(wish.scratch, name)) as [string, string];
  try {
    const restored = await restoreInto(settings, repository, { ...wish, into, tablespaces, durable: false });
    const restoreSeconds = (Date.now() - began) / 1000;
    try {
      const recoveryPoint = await lastCommit(restored);
      const checks: Check[] = [];
      for (const [name, look] of Object.entries(checksFor(restored, wish.target))) checks.push(await run(name, look));
      return {
        backup: restored.backup.name,
        startedAt: new Date(began).toISOString(),
        finishedAt: new Date().toISOString(),
        restoreSeconds,
        recoveryPoint,
        passed: checks.every(({ passed }) => passed !== false),
        checks,
      };
    } finally {
      await restored.server.stop();
    }
  } finally {
    await tidy();
  }
}

async function run(name: string, look: () => Promise<Finding>): Promise<Check> {
  const began = Date.now();
  const [passed, found] = await look().catch((error: unknown): Finding => [false, messageOf(error)]);
  return { name, passed, found, seconds: (Date.now() - began) / 1000 };
}

function checksFor(restored: Restored, target: Target): Record<string, () => Promise<Finding>> {
  const { facts } = restored.backup;
  const seen = takeSnapshot(restored.url('hospital_backup'));
  seen.catch(() => {});
  const exact = target === 'backup';
  const replayed: Finding = [null, 'not compared: the log since the backup was replayed'];
  return {
    rows: async () => (exact ? compareRows(facts, (await seen).rows) : replayed),
    catalogue: async () => (exact ? compareCatalogue(facts, (await seen).catalogue) : replayed),
    constraints: () => constraintsHold(restored),
    indexes: () => indexesHold(restored),
    audit: () => auditHolds(restored),
    policies: () => policiesBind(restored),
    sequences: () => sequencesLead(restored),
    login: () => somebodyLogsIn(restored),
  };
}

/** Tables nobody wrote meanwhile have just as many rows; the others lie between before and after the copy. */
function compareRows({ rows }: Facts, found: Record<string, number>): Finding {
  const tables = Object.entries(rows);
  const wrong = tables.flatMap(([table, [before, after]]) => {
    const count = found[table] ?? -1;
    const fits = count >= Math.min(before, after) && count <= Math.max(before, after);
    return fits ? [] : [`${table} has ${count} rows instead of ${before === after ? after : `${before} to ${after}`}`];
  });
  return wrong.length > 0 ? [false, wrong.join('; ')] : [true, `${sumOf(found)} rows in ${tables.length} tables`];
}

function compareCatalogue({ catalogue }: Facts, found: Record<string, string>): Finding {
  const kinds = Object.keys(catalogue);
  const wrong = kinds.filter((kind) => catalogue[kind] !== found[kind]);
  return wrong.length > 0 ? [false, `other ${wrong.join(', ')}`] : [true, kinds.join(', ')];
}

async function constraintsHold({ url }: Restored): Promise<Finding> {
  const { rows } = await withClient(url('hospital_backup'), (client) =>
    ask(
      client,
      `select
         count(*)::integer,
         coalesce(string_agg(conrelid::regclass || '.' || conname, ', ') filter (where not convalidated), '')
       from pg_constraint
       where conrelid <> 0`,
    ),
  );
  const [count, unproven] = rows[0] as [number, string];
  return unproven ? [false, `not validated: ${unproven}`] : [count > 0, `${count}, all validated`];
}

/** Reads every page of every table, and every index against its table; only a superuser may. */
async function indexesHold({ url, backup }: Restored): Promise<Finding> {
  try {
    return await withClient(url('postgres', backup.database), async (client) => {
      await client.query('create schema drill; create extension amcheck schema drill');
      const { rows } = await ask(
        client,
        `with damaged as (
           select c.oid::regclass || ': ' || h.msg as what
           from pg_class as c
           cross join lateral drill.verify_heapam(c.oid) as h
           where c.relkind in ('r', 'm', 't')
             and c.relpersistence = 'p'
         ),
         checked as (
           select drill.bt_index_check(i.indexrelid, true)
           from pg_index as i
           join pg_class as c
             on c.oid = i.indexrelid
           join pg_am as a
             on a.oid = c.relam
           where a.amname = 'btree'
             and i.indisvalid
             and c.relkind = 'i'
             and c.relpersistence = 'p'
         )
         select
           (select count(*)::integer from checked),
           (select string_agg(what, '; ') from damaged)`,
      );
      const [indexes, damaged] = rows[0] as [number, string | null];
      return damaged ? [false, damaged] : [true, `amcheck: every table, and ${indexes} indexes against theirs`];
    });
  } catch (error) {
    const cause = codeOf(error) ?? codeOf((error as Error).cause);
    if (['28P01', '28000', '42501', '0A000', '58P01'].includes(cause ?? '')) {
      return [null, `amcheck needs a superuser and the extension: ${messageOf(error)}`];
    }
    throw error;
  }
}

async function auditHolds({ url }: Restored): Promise<Finding> {
  const { rows } = await withClient(url('hospital_owner'), (client) =>
    ask(
      client,
      `select
         (select count(*)::integer from audit.entries),
         (select string_agg(v.link || ' ' || v.problem, '; ') from audit.verify('[]') as v)`,
    ),
  );
  const [entries, problems] = rows[0] as [number, string | null];
  return problems ? [false, problems] : [true, `the chain holds over ${entries} entries, and every row is as its newest says`];
}

/** The catalogue says which policies there are; this asks them. */
async function policiesBind({ url }: Restored): Promise<Finding> {
  const { rows } = await withClient(url('hospital_backup'), (client) =>
    ask(client, 'select exists (select from hospital.appointments)'),
  );
  if (!rows[0]?.[0]) return [null, 'nobody has an appointment to see'];
  const { patient, doctor, nobody, appointments } = await askAsPersonas(url);
  const found = `a patient sees ${sumOf(patient)} rows, a doctor ${sumOf(doctor)}, nobody without a session ${sumOf(nobody)}`;
  const [ofPatient, ofDoctor] = [patient['hospital.appointments'], doctor['hospital.appointments'] ?? 0];
  // Just his own; a doctor may see some of his colleagues'.
  const binds = ofPatient === appointments.patient && ofDoctor >= appointments.doctor && sumOf(nobody) === 0;
  return [binds, found];
}

function sumOf(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function sequencesLead({ url }: Restored): Promise<Finding> {
  const uses = await checkSequences(url('hospital_owner'));
  const behind = uses.filter(({ isBehind }) => isBehind).map(({ sequence }) => sequence);
  return behind.length > 0 ? [false, `behind: ${behind.join(', ')}`] : [true, `${uses.length}, none behind its rows`];
}

/** Nobody's password is known here, so somebody is made who logs in as the API does: it writes and reads. */
async function somebodyLogsIn({ url }: Restored): Promise<Finding> {
  const [email, password] = [`drill-${randomBytes(4).toString('hex')}@example.test`, randomBytes(12).toString('hex')];
  await withClient(url('hospital_owner'), (client) =>
    client.query('select hospital_private.create_administrator($1, $2)', [email, password]),
  );
  return withClient(url('hospital_authenticator'), async (client) => {
    await client.query('set role hospital_anonymous');
    const { rows } = await ask(client, 'select outcome, role from hospital.log_in($1, $2)', [email, password]);
    const [outcome, role] = rows[0] as [string, string];
    return [outcome === 'granted', `${outcome}: a new ${role ?? 'account'}, through the API's own login`];
  });
}

/** When the newest commit was made that recovery has replayed. */
async function lastCommit({ url }: Restored): Promise<string | null> {
  const sql = `select to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  const answer = await withClient(url('hospital_backup'), (client) => ask(client, sql)).catch(() => undefined);
  return (answer?.rows[0]?.[0] as string | null | undefined) ?? null;
}

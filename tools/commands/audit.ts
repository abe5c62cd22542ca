import { appendFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { auditKeyFile } from '../cluster/audit-key.ts';
import { readNewKey, replaceAuditKey, wrapAnew } from '../cluster/replace-audit-key.ts';
import { acquireServer } from '../cluster/server.ts';
import { withClient } from '../database.ts';
import { Failure, UsageError } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { print, say } from '../terminal.ts';

/** The end of the chain at some moment: kept elsewhere, it betrays a chain that was cut or rewritten. */
export interface Head {
  block: number;
  /** Hexadecimal SHA-256. */
  hash: string;
  sealedAt: string;
}

/** What does not hold: where, and what is wrong there. */
export interface Finding {
  link: string;
  problem: string;
}

/** What a verification looked at and found; the first finding is the first bad link. */
export interface AuditReport {
  blocks: number;
  entries: number;
  /** Entries that no block holds yet, of the last second or of transactions still running. */
  unsealed: number;
  findings: Finding[];
}

type Json = { json?: boolean };

export function register(program: Command): void {
  const command = program.command('audit').description('the record of who changed and who read what');
  command
    .command('verify')
    .description('recompute the chain and compare every live row with it; names the first bad link')
    .option('--heads <file>', 'heads exported before, to find a chain that was cut or rewritten')
    .option('--json', '{"blocks": 3, "entries": 24000, "unsealed": 0, "findings": [{"link", "problem"}]}')
    .action(async ({ heads, json }: Json & { heads?: string }) => {
      const report = await work(readSettings(), heads === undefined ? [] : await readHeads(heads));
      if (json) print(JSON.stringify(report));
      const [first] = report.findings;
      if (first) {
        throw new Failure(
          `The audit does not hold. The first bad link: ${first.link} ${first.problem}.`,
          `${report.findings.length} in all; infirmary audit verify --json lists them. Keep the database as it is.`,
        );
      }
      say(
        `The audit holds: ${report.blocks} blocks over ${report.entries - report.unsealed} entries, ` +
          `${report.unsealed} not sealed yet; every row is what its newest entry says.`,
      );
    });
  command
    .command('heads')
    .description('the head of the chain, to be kept where nobody who can change the database can change it')
    .option('--out <file>', 'append it to a file, one line of JSON each')
    .action(async ({ out }: { out?: string }) => {
      const head = JSON.stringify(await readHead(readSettings()));
      if (out === undefined) return print(head);
      await appendFile(out, `${head}\n`, { mode: 0o600 });
      say(`Appended the head of the chain to ${out}.`);
    });
  command
    .command('replace-key')
    .description('wrap the keys of all persons with a new key; backups made before still need the old one')
    .option('--to <file>', 'the new key, for a server whose configuration is not ours to change')
    .action(async ({ to }: { to?: string }) => {
      for (const line of await replaceKey(readSettings(), to)) say(line);
    });
}

/**
 * Replaces the key that wraps the keys of persons. Returns what to tell.
 * @param to a file with the new key, for a server that is not the private cluster
 */
export async function replaceKey(settings: Settings, to?: string): Promise<string[]> {
  const server = await acquireServer(settings);
  try {
    if (server.embedded && to === undefined) {
      const { persons, old } = await replaceAuditKey(server, settings.database, auditKeyFile(settings));
      return [
        `The keys of ${persons} persons are wrapped with the new key, and the server has it.`,
        `The key before is ${old}: keep it as long as backups from before, and elsewhere than they are.`,
      ];
    }
    if (server.embedded || to === undefined) {
      throw new UsageError(
        server.embedded ? 'The private cluster makes its key itself.' : 'Which key? The server is not ours to configure.',
        server.embedded ? 'Leave --to away.' : 'infirmary audit replace-key --to <file>',
      );
    }
    const persons = await wrapAnew(server, readNewKey(path.resolve(to)));
    return [
      `The keys of ${persons} persons are wrapped with the new key.`,
      'Now, at once: put it where the server reads infirmary.audit_key, and reload it. Until then changes to patients are refused.',
      'Keep the key before as long as backups from before.',
    ];
  } finally {
    await server.release();
  }
}

/** Verifies the whole audit, in one snapshot. */
export async function work(settings: Settings, heads: readonly Head[] = []): Promise<AuditReport> {
  return asOwner(settings, async (query) => {
    await query('begin isolation level repeatable read read only');
    const [counts] = await query<Omit<AuditReport, 'findings'>>(`
      select
        (select count(*)::integer from audit.seals) as blocks,
        (select count(*)::integer from audit.entries) as entries,
        (select count(*)::integer from audit.entries)
          - (
            select coalesce(sum(cardinality(s.sequences)), 0)::integer
            from audit.seals as s
            where not exists (select from audit.retired_months as m where m.month = s.month)
          ) as unsealed`);
    const findings = await query<Finding>('select link, problem from audit.verify($1)', [JSON.stringify(heads)]);
    await query('commit');
    return { ...counts!, findings };
  });
}

/**
 * The newest block of the chain.
 * @throws Failure while nothing is sealed
 */
export async function readHead(settings: Settings): Promise<Head> {
  const [head] = await asOwner(settings, (query) =>
    query<Head>(`
      select
        s.block::integer,
        encode(s.hash, 'hex') as hash,
        to_json(s.sealed_at) as "sealedAt"
      from audit.seals as s
      order by s.block desc
      limit 1`),
  );
  if (head) return head;
  throw new Failure('Nothing is sealed yet.', 'The worker seals every second: infirmary work, or infirmary start.');
}

/**
 * Reads the heads that `audit heads --out` has written.
 * @throws UsageError when the file is none of those
 */
export async function readHeads(file: string): Promise<Head[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`);
  });
  try {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const heads = lines.map((line) => JSON.parse(line) as Partial<Head>);
    if (heads.length > 0 && heads.every(({ block, hash }) => Number.isInteger(block) && /^[0-9a-f]{64}$/.test(hash ?? ''))) {
      return heads as Head[];
    }
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} holds no heads of a chain.`, 'They are written by: infirmary audit heads --out <file>');
}

type Query = <Row>(sql: string, values?: unknown[]) => Promise<Row[]>;

async function asOwner<Result>(settings: Settings, use: (query: Query) => Promise<Result>): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_owner'), (client) =>
      use(async (sql, values) => (await client.query(sql, values)).rows),
    );
  } finally {
    await server.release();
  }
}

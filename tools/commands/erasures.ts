import { appendFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { acquireServer } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure, messageOf } from '../failure.ts';
import { readSettings, type Settings } from '../settings.ts';
import { drawTable, print, say } from '../terminal.ts';

/** One line of the journal: a person by pseudonym, and what was erased of him when. */
export interface Entry {
  erasedAt: string;
  isComplete: boolean;
  reason: string;
  recordUuids: string[];
}

/** What became of an entry: erased now, erased already, not in this database, or refused. */
export interface Applied {
  erasedAt: string;
  subject: string;
  outcome: 'erased' | 'already' | 'absent' | 'refused';
  why: string;
}

export function register(program: Command): void {
  const erasures = program
    .command('erasures')
    .description('whom the hospital erased, so that no backup brings him back');
  erasures
    .command('export')
    .description('append to the journal the erasures it does not hold yet')
    .option('--out <journal>', 'the journal (or INFIRMARY_ERASURE_JOURNAL)')
    .action(async ({ out }: { out?: string }) => {
      const settings = readSettings();
      const journal = out ?? journalOf(settings);
      const added = await work(settings, journal);
      say(`${added} ${added === 1 ? 'erasure' : 'erasures'} added to ${journal}.`);
      say('Keep it apart from the backups: after a restore it says whom to erase again.');
    });
  erasures
    .command('apply')
    .argument('[journal]', 'the journal (or INFIRMARY_ERASURE_JOURNAL)')
    .description('erase again, after a restore, whom the journal says was erased')
    .option('--json', '[{"erasedAt", "subject", "outcome", "why"}, …]')
    .action(async (given: string | undefined, { json }: { json?: boolean }) => {
      const settings = readSettings();
      const applied = await apply(settings, given ?? journalOf(settings));
      print(
        json
          ? JSON.stringify(applied)
          : drawTable(
              ['erased', 'subject', 'outcome', 'why'],
              applied.map(({ erasedAt, subject, outcome, why }) => [erasedAt, subject, outcome, why]),
            ),
      );
      const refused = applied.filter(({ outcome }) => outcome === 'refused').length;
      if (refused > 0) {
        throw new Failure(
          `${refused} of ${applied.length} erasures could not be applied again.`,
          'Remove what the last column names, and apply the journal again: what is done is not done twice.',
        );
      }
    });
}

/** Where the journal is unless somebody says otherwise. */
export function journalOf(settings: Settings, env: NodeJS.ProcessEnv = process.env): string {
  return path.resolve(env.INFIRMARY_ERASURE_JOURNAL?.trim() || path.join(settings.home, 'erasures.jsonl'));
}

/** Appends to the journal the erasures it does not hold yet, and returns how many they were. */
export async function work(settings: Settings, journal: string): Promise<number> {
  const known = new Set((await read(journal, true)).map(keyOf));
  const entries = await asOwner(settings, async (client) => {
    const { rows } = await ask(
      client,
      `select json_build_object(
         'erasedAt', e.erased_at,
         'isComplete', e.is_complete,
         'reason', e.reason,
         'recordUuids', e.record_uuids
       )
       from hospital.erasures as e
       order by e.id`,
    );
    return rows.flat() as Entry[];
  });
  const added = entries.filter((entry) => !known.has(keyOf(entry)));
  await mkdir(path.dirname(journal), { recursive: true });
  const lines = added.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  await appendFile(journal, lines, { mode: 0o600, flush: true });
  return added.length;
}

/**
 * Erases again whom the journal says was erased, each in a transaction of his own.
 * @throws Failure when the journal cannot be read
 */
export async function apply(settings: Settings, journal: string): Promise<Applied[]> {
  const entries = await read(journal, false);
  return asOwner(settings, async (client) => {
    const applied: Applied[] = [];
    for (const entry of entries) {
      const { erasedAt, isComplete, reason, recordUuids } = entry;
      const told = { erasedAt, subject: recordUuids[0] ?? '' };
      try {
        const { rows } = await ask(client, 'select hospital_private.reapply_erasure($1, $2, $3, $4)', [
          recordUuids,
          reason,
          isComplete,
          erasedAt,
        ]);
        applied.push({ ...told, outcome: rows[0]?.[0] as Applied['outcome'], why: '' });
      } catch (error) {
        // A refusal of the database concerns this person alone; anything else concerns them all.
        if (!codeOf(error)?.match(/^[0-9A-Z]{5}$/)) throw error;
        applied.push({ ...told, outcome: 'refused', why: messageOf(error) });
      }
    }
    return applied;
  });
}

async function asOwner<Result>(
  settings: Settings,
  doWork: Parameters<typeof withClient<Result>>[1],
): Promise<Result> {
  const server = await acquireServer(settings);
  try {
    return await withClient(server.url('hospital_owner'), doWork);
  } finally {
    await server.release();
  }
}

async function read(journal: string, mayBeMissing: boolean): Promise<Entry[]> {
  let text: string;
  try {
    text = await readFile(journal, 'utf8');
  } catch (error) {
    if (mayBeMissing && codeOf(error) === 'ENOENT') return [];
    throw new Failure(
      `The journal of erasures cannot be read: ${messageOf(error)}.`,
      'Name it: infirmary erasures apply <journal>, or set INFIRMARY_ERASURE_JOURNAL.',
      { cause: error },
    );
  }
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => parse(line, `${journal}, line ${index + 1}`));
}

function parse(line: string, place: string): Entry {
  let entry: Partial<Entry> | null = null;
  try {
    entry = JSON.parse(line) as Partial<Entry> | null;
  } catch {
    // Reported below with what is no entry for another reason.
  }
  if (!entry?.erasedAt || !entry.reason || !Array.isArray(entry.recordUuids)) {
    throw new Failure(
      `The journal of erasures is damaged: ${place} is no entry.`,
      'Take a copy of the journal from elsewhere; nothing was applied.',
    );
  }
  return { isComplete: true, ...entry } as Entry;
}

function keyOf({ erasedAt, recordUuids }: Entry): string {
  return `${new Date(erasedAt).toISOString()} ${recordUuids.join(' ')}`;
}

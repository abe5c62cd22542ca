import type { Command } from 'commander';
import type { ClientBase } from 'pg';
import { acquireServer } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { Failure } from '../failure.ts';
import { readSettings } from '../settings.ts';
import { drawTable, print } from '../terminal.ts';

/** A column that takes its values from a sequence. Numbers are texts, since a bigint is larger than a JavaScript number. */
export interface SequenceUse {
  sequence: string;
  table: string;
  column: string;
  /** The largest value in the column, or null while it is empty. */
  highest: string | null;
  /** The value that the sequence gives next. */
  next: string;
  /** The next row would get a value that is taken, or was passed. */
  isBehind: boolean;
}

export function register(program: Command): void {
  const sequences = program.command('sequences').description('the sequences that number the rows');
  for (const [name, description] of [
    ['check', 'find sequences behind their data, as loading rows with their keys leaves them'],
    ['reset', 'set those that are behind to follow their data; never backwards'],
  ] as const) {
    sequences
      .command(name)
      .description(description)
      .option('--json', '[{"sequence", "table", "column", "highest", "next", "isBehind"}, …]')
      .action(async ({ json }: { json?: boolean }) => {
        const server = await acquireServer(readSettings());
        try {
          const uses = await (name === 'check' ? check : reset)(server.url('hospital_owner'));
          print(json ? JSON.stringify(uses) : draw(uses));
          refuseBehind(uses);
        } finally {
          await server.release();
        }
      });
  }
}

/** Every column of the hospital's schemas that a sequence numbers, whether as identity, serial or default. */
export function check(ownerUrl: string): Promise<SequenceUse[]> {
  return withClient(ownerUrl, findUses);
}

/** Sets every sequence that is behind its data to the largest value there, and returns how all stand then. */
export async function reset(ownerUrl: string): Promise<SequenceUse[]> {
  return withClient(ownerUrl, async (client) => {
    await client.query('begin');
    const behind = (await findUses(client)).filter(({ isBehind }) => isBehind);
    const tables = [...new Set(behind.map(({ table }) => table))].sort();
    if (tables.length > 0) {
      // Nobody inserts meanwhile, so that what is found now is still true when the sequence is set.
      await client.query(`lock table ${tables.join(', ')} in share row exclusive mode`);
      for (const { sequence, highest } of (await findUses(client)).filter(({ isBehind }) => isBehind)) {
        await client.query(`select setval($1::regclass, greatest(last_value, $2::bigint)) from ${sequence}`, [
          sequence,
          highest,
        ]);
      }
    }
    const uses = await findUses(client);
    await client.query('commit');
    return uses;
  });
}

/** The same, with a connection that reads every row. */
export async function findUses(client: ClientBase): Promise<SequenceUse[]> {
  // An identity or serial column owns its sequence; a default may use another one.
  const { rows } = await ask(
    client,
    `with uses as (
       select d.objid as sequence_id, d.refobjid as table_id, d.refobjsubid as column_number
       from pg_depend as d
       where d.classid = 'pg_class'::regclass
         and d.refclassid = 'pg_class'::regclass
         and d.refobjsubid > 0
         and d.deptype in ('a', 'i')
       union
       select d.refobjid, f.adrelid, f.adnum
       from pg_depend as d
       join pg_attrdef as f
         on f.oid = d.objid
       where d.classid = 'pg_attrdef'::regclass
         and d.refclassid = 'pg_class'::regclass
     )
     select
       format('%I.%I', sn.nspname, s.relname),
       format('%I.%I', tn.nspname, t.relname),
       quote_ident(a.attname),
       a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
     from uses as u
     join pg_class as s
       on s.oid = u.sequence_id
       and s.relkind = 'S'
     join pg_namespace as sn
       on sn.oid = s.relnamespace
     join pg_class as t
       on t.oid = u.table_id
     join pg_namespace as tn
       on tn.oid = t.relnamespace
     join pg_attribute as a
       on a.attrelid = t.oid
       and a.attnum = u.column_number
     where tn.nspname = any (
       '{hospital,hospital_private,analytics,audit,warehouse,masked,staging,ops}'::name[]
     )
     order by 2, 3`,
  );
  const uses: SequenceUse[] = [];
  for (const [sequence, table, column, isNumber] of rows as [string, string, string, boolean][]) {
    uses.push({ sequence, table, column, ...(await measure(client, sequence, table, column, isNumber)) });
  }
  return uses;
}

async function measure(
  client: ClientBase,
  sequence: string,
  table: string,
  column: string,
  isNumber: boolean,
): Promise<Pick<SequenceUse, 'highest' | 'next' | 'isBehind'>> {
  // A text such as a medical record number ends in the sequence's digits.
  const number = isNumber ? column : `substring(${column} from '[0-9]+$')::numeric`;
  const { rows } = await ask(
    client,
    `select c.highest::text, s.next::text, coalesce(c.highest >= s.next, false)
     from (
       select q.last_value + case when q.is_called then p.increment_by else 0 end as next, p.max_value
       from ${sequence} as q
       join pg_sequences as p
         on format('%I.%I', p.schemaname, p.sequencename) = $1
     ) as s
     cross join lateral (
       -- A number from elsewhere that no sequence reaches is none of this one's.
       select max(${number}) as highest
       from ${table}
       where ${number} <= s.max_value
     ) as c`,
    [sequence],
  );
  const [highest, next, isBehind] = rows[0] as [string | null, string, boolean];
  return { highest, next, isBehind };
}

function draw(uses: SequenceUse[]): string {
  return drawTable(
    ['table', 'column', 'highest', 'next', ''],
    uses.map(({ table, column, highest, next, isBehind }) => [
      table,
      column,
      highest,
      next,
      isBehind ? 'behind' : '',
    ]),
  );
}

function refuseBehind(uses: SequenceUse[]): void {
  const behind = uses.filter(({ isBehind }) => isBehind);
  if (behind.length === 0) return;
  const names = behind.map(({ table, column }) => `${table}.${column}`).join(', ');
  throw new Failure(
    `${behind.length === 1 ? 'A sequence is' : `${behind.length} sequences are`} behind the data: ${names}.`,
    'infirmary sequences reset',
  );
}

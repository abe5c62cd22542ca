import type { Client } from 'pg';
import { ask, withClient } from '../database.ts';

/** What must be true of a restored database: noted when the backup is made, compared by a drill. */
export interface Facts {
  /** How many rows each table had before the copy and after it; what is restored lies between. */
  rows: Record<string, [before: number, after: number]>;
  /** A hash of all objects of each kind, as the catalogue describes them. */
  catalogue: Record<string, string>;
}

/** Rows now, and the catalogue. */
export interface Snapshot {
  /** When, by the server's clock. */
  at: string;
  rows: Record<string, number>;
  catalogue: Record<string, string>;
}

/**
 * Looks at the hospital in one snapshot.
 * @param url the hospital's database, as a role that reads everything
 */
export function takeSnapshot(url: string): Promise<Snapshot> {
  return withClient(url, async (client) => {
    await client.query('begin isolation level repeatable read read only');
    const [[at] = []] = (await ask(client, `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)).rows;
    const snapshot = { at: String(at), rows: await countRows(client), catalogue: await describeCatalogue(client) };
    await client.query('commit');
    return snapshot;
  });
}

/** Joins what was seen before the copy with what was seen after it. */
export function joinSnapshots(before: Snapshot, after: Snapshot): Facts {
  const rows = Object.entries(after.rows).map(([table, count]) => [table, [before.rows[table] ?? 0, count]]);
  return { rows: Object.fromEntries(rows), catalogue: after.catalogue };
}

/** Tables of the hospital's schemas that outlive a crash; the queue's own change all the time. */
async function countRows(client: Client): Promise<Record<string, number>> {
  const { rows: tables } = await ask(
    client,
    `select format('%I.%I', n.nspname, c.relname)
     from pg_class as c
     join pg_namespace as n
       on n.oid = c.relnamespace
     where c.relkind in ('r', 'p')
       and not c.relispartition
       and c.relpersistence = 'p'
       and n.nspname !~ '^pg_'
       and n.nspname not in ('information_schema', 'graphile_worker', 'staging')
     order by 1`,
  );
  const counts: Record<string, number> = {};
  for (const [table] of tables) {
    counts[String(table)] = Number((await ask(client, `select count(*) from ${table}`)).rows[0]?.[0]);
  }
  return counts;
}

async function describeCatalogue(client: Client): Promise<Record<string, string>> {
  const { rows } = await ask(
    client,
    `with ours as (
       select oid, nspname
       from pg_namespace
       where nspname !~ '^pg_'
         and nspname not in ('information_schema', 'graphile_worker')
     ),
     described as (
       select 'columns' as kind, concat_ws(' ', c.oid::regclass, c.relkind, c.relrowsecurity, c.relforcerowsecurity,
         c.relacl, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl,
         pg_get_expr(d.adbin, d.adrelid)) as text
       from pg_class as c
       join ours on ours.oid = c.relnamespace
       join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where c.relkind in ('r', 'p', 'v', 'm', 'f')
       union all
       select 'constraints', concat_ws(' ', o.conrelid::regclass, o.conname, o.convalidated, pg_get_constraintdef(o.oid))
       from pg_constraint as o
       join ours on ours.oid = o.connamespace
       union all
       select 'indexes', pg_get_indexdef(i.indexrelid) || i.indisvalid
       from pg_index as i
       join pg_class as c on c.oid = i.indexrelid
       join ours on ours.oid = c.relnamespace
       union all
       select 'policies', concat_ws(' ', schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check)
       from pg_policies
       union all
       select 'triggers', concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
       from pg_trigger as t
       where not t.tgisinternal
       union all
       select 'functions', concat_ws(' ', pg_get_functiondef(p.oid), p.proacl)
       from pg_proc as p
       join ours on ours.oid = p.pronamespace
       where p.prokind in ('f', 'p')
       union all
       select 'views', concat_ws(' ', c.oid::regclass, pg_get_viewdef(c.oid))
       from pg_class as c
       join ours on ours.oid = c.relnamespace
       where c.relkind in ('v', 'm')
     )
     select kind, encode(sha256(convert_to(string_agg(text, chr(10) order by text collate "C"), 'utf8')), 'hex')
     from described
     group by kind
     order by kind`,
  );
  return Object.fromEntries(rows) as Record<string, string>;
}

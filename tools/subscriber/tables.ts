import type { Client } from 'pg';

/** A table as a subscriber has it. */
export interface Table {
  schema: string;
  /** With its schema, quoted where need be. */
  name: string;
  /** The definitions of its columns, in the order of their names. */
  columns: string;
}

/** A table as it is published, with the statement that makes it on a subscriber. */
export interface PublishedTable extends Table {
  definition: string;
}

/** What is said about a column `a` with its default `d`, on both servers in the same words. */
const definitionOfColumn = `
  format(
    '%I %s%s%s',
    a.attname,
    format_type(a.atttypid, a.atttypmod),
    case when a.attnotnull then ' not null' end,
    case when a.attgenerated <> '' then
      format(' generated always as (%s) stored', pg_get_expr(d.adbin, d.adrelid))
    end
  )`;

/**
 * The tables of a publication: the columns published, the generated ones that are made of those, the key, and
 * nothing else. No foreign key, since tables are copied one by one; no row security, since its policies rest
 * on sessions that are not there.
 */
export async function readPublished(publisher: Client, publication: string): Promise<PublishedTable[]> {
  await publisher.query('set search_path = pg_catalog');
  const { rows } = await publisher.query<PublishedTable>(
    `with published as (
       select
         p.schemaname,
         p.tablename,
         p.attnames,
         format('%I.%I', p.schemaname, p.tablename)::regclass as relation
       from pg_publication_tables as p
       where p.pubname = $1
     )
     select
       p.schemaname as schema,
       format('%I.%I', p.schemaname, p.tablename) as name,
       string_agg(c.definition, ', ' order by a.attname) as columns,
       format(
         'create table %I.%I (%s, primary key (%s))',
         p.schemaname,
         p.tablename,
         string_agg(c.definition, ', ' order by a.attnum),
         (
           select string_agg(quote_ident(part.attname), ', ' order by k.position)
           from pg_constraint as key
           cross join lateral unnest(key.conkey) with ordinality as k (attnum, position)
           join pg_attribute as part
             on part.attrelid = key.conrelid
             and part.attnum = k.attnum
           where key.conrelid = p.relation
             and key.contype = 'p'
         )
       ) as definition
     from published as p
     join pg_attribute as a
       on a.attrelid = p.relation
       and a.attnum > 0
       and not a.attisdropped
     left join pg_attrdef as d
       on d.adrelid = a.attrelid
       and d.adnum = a.attnum
     cross join lateral (select ${definitionOfColumn}) as c (definition)
     where case
       when a.attgenerated = '' then a.attname = any (p.attnames)
       else not exists (
         select
         from pg_depend as needs
         join pg_attribute as needed
           on needed.attrelid = needs.refobjid
           and needed.attnum = needs.refobjsubid
         where needs.classid = 'pg_attrdef'::regclass
           and needs.objid = d.oid
           and needs.refobjid = p.relation
           and needed.attnum <> a.attnum
           and needed.attname <> all (p.attnames)
       )
     end
     group by p.schemaname, p.tablename, p.relation
     order by p.schemaname, p.tablename`,
    [publication],
  );
  return rows;
}

/** What the subscriber has of the tables named. */
export async function readCopied(subscriber: Client, names: string[]): Promise<Table[]> {
  await subscriber.query('set search_path = pg_catalog');
  const { rows } = await subscriber.query<Table>(
    `select
       n.nspname as schema,
       format('%I.%I', n.nspname, t.relname) as name,
       string_agg(c.definition, ', ' order by a.attname) as columns
     from pg_class as t
     join pg_namespace as n
       on n.oid = t.relnamespace
     join pg_attribute as a
       on a.attrelid = t.oid
       and a.attnum > 0
       and not a.attisdropped
     left join pg_attrdef as d
       on d.adrelid = a.attrelid
       and d.adnum = a.attnum
     cross join lateral (select ${definitionOfColumn}) as c (definition)
     where t.relkind = 'r'
       and format('%I.%I', n.nspname, t.relname) = any ($1)
     group by n.nspname, t.relname`,
    [names],
  );
  return rows;
}

/** The tables that a subscription of this database follows. */
export async function readSubscribed(subscriber: Client, subscription: string): Promise<string[]> {
  const { rows } = await subscriber.query<{ name: string }>(
    `select format('%I.%I', n.nspname, t.relname) as name
     from pg_catalog.pg_subscription_rel as r
     join pg_catalog.pg_subscription as s
       on s.oid = r.srsubid
     join pg_catalog.pg_class as t
       on t.oid = r.srrelid
     join pg_catalog.pg_namespace as n
       on n.oid = t.relnamespace
     where s.subname = $1
     order by name`,
    [subscription],
  );
  return rows.map(({ name }) => name);
}

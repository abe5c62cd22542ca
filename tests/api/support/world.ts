import assert from 'node:assert/strict';
import { buildClientSchema, getIntrospectionQuery, type GraphQLSchema } from 'graphql';
import { Client } from 'pg';
import { signToken } from '../../../tools/api/identity.ts';
import { startApi, codes, KEYS, type Answer, type TestApi } from './api.ts';
import { stopping } from './stopping.ts';

/** A row of the world by its key, and what it is to whoever plays a role. */
export interface WorldRow {
  relation: string;
  kind: string;
  key: string;
}

/** An API on the world in which every kind of row exists for every role: tests.matrix_world(). */
export interface World {
  api: TestApi;
  admin: Client;
  schema: GraphQLSchema;
  /** The columns of each table's key. */
  keys: Map<string, string[]>;
  /** Every row of every table, as it is to a role. */
  rowsFor(role: string): Promise<WorldRow[]>;
  /** A token of a new session; none for a visitor. */
  tokenOf(role: string): Promise<string | undefined>;
  /** Opens every chart that opens. */
  openCharts(token: string | undefined): Promise<void>;
  /** The list of a table's rows on Query. */
  listOf(table: string): string;
  /** A page of a table's list. */
  read(table: string, selection: string, token: string | undefined, args?: string): Promise<Answer>;
  /** The keys of all rows of a table that are shown, or undefined where it is refused. */
  shown(table: string, token: string | undefined, args?: string): Promise<Set<string> | undefined>;
}

export async function openWorld(): Promise<World> {
  const api = await startApi();
  const admin = new Client({ connectionString: api.database.url('postgres') });
  await admin.connect();
  stopping.push(() => admin.end());
  await admin.query('select tests.matrix_world(); select tests.list_rows()');
  const schema = buildClientSchema((await api.graphql(getIntrospectionQuery())).data);
  const { rows: found } = await admin.query<{ name: string; columns: string[] }>(
    `select 'hospital.' || c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
     from pg_class as c
     join pg_index as i on i.indrelid = c.oid and i.indisprimary
     join pg_attribute as a on a.attrelid = c.oid and a.attnum = any (i.indkey)
     where c.relnamespace = 'hospital'::regnamespace
     group by c.relname`,
  );
  const keys = new Map(found.map(({ name, columns }) => [name, columns]));
  const keyOf = (relation: string, row: Record<string, unknown>, name = (column: string) => column): string =>
    (keys.get(relation) ?? []).map((column) => String(row[name(column)])).join(' ');

  const world: World = {
    api,
    admin,
    schema,
    keys,
    rowsFor: async (role) => {
      const { rows } = await admin.query<{ relation: string; kind: string; image: Record<string, unknown> }>(
        'select relation::text, tests.kind_of($1, m) as kind, image from tests.matrix_rows as m',
        [role],
      );
      return rows.map(({ relation, kind, image }) => ({ relation, kind, key: keyOf(relation, image) }));
    },
    tokenOf: async (role) => {
      if (role === 'anonymous') return undefined;
      const { rows } = await admin.query(
        `select s.*
         from tests.personas() as p
         cross join lateral tests.new_session(p.email, p.role) as s
         where p.role = $1`,
        [role],
      );
      const { session_id, session_secret, expires_at } = rows[0];
      return signToken(KEYS, { sessionId: session_id, sessionSecret: session_secret, role, expiresAt: expires_at });
    },
    openCharts: async (token) => {
      const { rows: patients } = await admin.query<{ id: string }>('select id from hospital.patients');
      const open = 'mutation ($id: BigInt!) { openChart(input: { patientId: $id }) { patient { id } } }';
      for (const { id } of patients) await api.graphql(open, { id }, token);
    },
    listOf: (table) => {
      const name = camel(table.slice('hospital.'.length));
      const fields = schema.getQueryType()!.getFields();
      const plurals = [name, `${name}List`, `${name}s`, name.replace(/y$/, 'ies')];
      const field = plurals.find((one) => fields[one]?.args.some((arg) => arg.name === 'first'));
      assert.ok(field, `${table} is no list of Query`);
      return field;
    },
    read: (table, selection, token, args = '') =>
      api.graphql(
        `{ ${world.listOf(table)}(first: 200${args}) {
          totalCount nodes { ${selection} } pageInfo { endCursor hasNextPage }
        } }`,
        {},
        token,
      ),
    shown: async (table, token, args = '') => {
      const shown = new Set<string>();
      for (let page = ''; ;) {
        const answer = await world.read(table, keys.get(table)!.map(camel).join(' '), token, args + page);
        const list = answer.data[world.listOf(table)];
        if (answer.errors.length > 0) {
          assert.deepEqual([codes(answer), list], [['FORBIDDEN'], null], `${table} ${args}${page}: ${answer.text}`);
          return undefined;
        }
        for (const row of list.nodes) shown.add(keyOf(table, row, camel));
        if (!list.pageInfo.hasNextPage) {
          // How many there are is how many can be read.
          if (!args) assert.equal(Number(list.totalCount), shown.size, `${table}: ${answer.text}`);
          return shown;
        }
        page = `, after: "${list.pageInfo.endCursor}"`;
      }
    },
  };
  return world;
}

export function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

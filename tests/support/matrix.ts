import { withClient } from '../../tools/database.ts';
import { linesOf, ROLES, type Matrix, type Right } from '../../tools/docs/access-matrix.ts';
import type { TestDatabase } from './database.ts';

interface Measured {
  relation: string;
  command: string;
  columns: string | null;
  kind: string;
  existing: string;
  reached: string;
}

/** The matrix as it is, and the kinds of rows that the tests' world does not have. */
export type Measurement = Matrix & { missing: string[] };

/** Furnishes a database with a world in which every kind of row exists, and measures who may do what in it. */
export async function measureMatrix(database: TestDatabase): Promise<Measurement> {
  return withClient(database.url('postgres'), async (client) => {
    await client.query('select tests.matrix_world()');
    await client.query('select tests.list_rows()');
    const { rows: missing } = await client.query<{ relation: string; kind: string }>(
      'select relation, kind from tests.missing_kinds()',
    );
    const measure = async (role: string, withCharts: boolean): Promise<Measured[]> => {
      await client.query('begin');
      const { rows } = await client.query<Measured>('select * from tests.measure($1, $2)', [role, withCharts]);
      await client.query('rollback');
      return rows;
    };
    const { rows: relations } = await client.query<{ name: string }>(
      `select name from tests.matrix_relations() where name ~ '^(hospital|analytics)\\.' order by name collate "C"`,
    );
    const { rows: functions } = await client.query<{ name: string }>(
      `select distinct pronamespace::regnamespace || '.' || proname as name
       from pg_proc
       where pronamespace in ('hospital'::regnamespace, 'analytics'::regnamespace)
         and prorettype <> 'trigger'::regtype`,
    );
    const rights = new Map<string, Right[]>(relations.map(({ name }) => [name, []]));
    const calls = new Map<string, string[]>(functions.map(({ name }) => [name, []]));
    for (const role of ROLES) {
      const charts = await measure(role, true);
      for (const cell of await measure(role, false)) {
        const right = rightOf(rights, role, cell);
        const withCharts = charts.find(
          ({ relation, command, kind }) =>
            relation === cell.relation && command === cell.command && kind === cell.kind,
        );
        right.reach.push({
          kind: cell.kind,
          existing: Number(cell.existing),
          reached: Number(cell.reached),
          reachedWithCharts: Number(withCharts!.reached),
        });
      }
      const { rows } = await client.query<{ name: string }>('select name from tests.measure_functions($1)', [role]);
      for (const { name } of rows) calls.set(name, [...new Set([...(calls.get(name) ?? []), role])]);
    }
    return {
      missing: missing.map(({ relation, kind }) => `${relation}: no row (${kind})`),
      tables: sorted(new Map([...rights].map(([name, of]) => [name, linesOf(of)]))),
      functions: sorted(calls),
    };
  });
}

function rightOf(rights: Map<string, Right[]>, role: string, { relation, command, columns }: Measured): Right {
  const ofTable = rights.get(relation) ?? [];
  rights.set(relation, ofTable);
  let right = ofTable.find((one) => one.role === role && one.command === command);
  if (!right) ofTable.push((right = { role, command, reach: [], ...(columns && { columns }) }));
  return right;
}

/** By name, the exposed schemas first. */
function sorted<Value>(map: Map<string, Value>): Map<string, Value> {
  const rank = (name: string): string => `${/^(hospital|analytics)\./.test(name) ? 0 : 1}${name}`;
  return new Map([...map].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1)));
}

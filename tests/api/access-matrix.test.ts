import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
} from 'graphql';
import { cellOf, inWords, MATRIX_FILE, parseMatrix, ROLES, type Reach } from '../../tools/docs/access-matrix.ts';
import { codes, type Answer } from './support/api.ts';
import { camel, openWorld, type World, type WorldRow } from './support/world.ts';

/*
 * The matrix of tests/contract/access-matrix.txt, cell by cell over the API: which kinds of rows come back, which
 * columns, which functions answer. What SQL can do is measured in tests/contract.
 */

const matrix = parseMatrix(readFileSync(MATRIX_FILE, 'utf8'));
const tables = [...matrix.tables.keys()].filter((name) => name.startsWith('hospital.'));
const roles = ROLES.filter((role) => role !== 'worker');

describe('The access matrix over the API', () => {
  let world: World;
  /** Computed columns: the table and the field. */
  const computed = new Map<string, { table: string; field: string }>();

  before(async () => {
    world = await openWorld();
    const { rows: functions } = await world.admin.query<{ name: string; table: string }>(
      `select 'hospital.' || p.proname as name, 'hospital.' || c.relname as table
       from pg_proc as p
       join pg_class as c on c.reltype = p.proargtypes[0]
       where p.pronamespace = 'hospital'::regnamespace and p.proname ~ ('^' || c.relname || '_')`,
    );
    for (const { name, table } of functions)
      computed.set(name, { table, field: camel(name.slice(table.length + 1)) });
  });

  /** What the API shows of a table, in the words of the matrix. */
  const seen = (rows: WorldRow[], table: string, before: Set<string>, withCharts: Set<string>): string => {
    const reach = new Map<string, Reach>();
    for (const { relation, kind, key } of rows) {
      if (relation !== table) continue;
      const one = reach.get(kind) ?? { kind, existing: 0, reached: 0, reachedWithCharts: 0 };
      reach.set(kind, one);
      one.existing += 1;
      if (before.has(key)) one.reached += 1;
      if (withCharts.has(key)) one.reachedWithCharts += 1;
    }
    return inWords([...reach.values()]);
  };

  for (const role of roles) {
    test(`shows ${role} the kinds of rows it says, and no more`, async () => {
      const [closed, open] = [await world.tokenOf(role), await world.tokenOf(role)];
      await world.openCharts(open);
      const rows = await world.rowsFor(role);
      for (const table of tables) {
        const cell = cellOf(matrix.tables.get(table)!, role, 'select');
        const before = await world.shown(table, closed);
        const withCharts = await world.shown(table, open);
        const words = before && withCharts && seen(rows, table, before, withCharts);
        assert.equal(words, cell?.words, table);
        if (cell?.columns) await hides(table, cell.columns.replace('all but ', '').split(', '), closed);
      }
    });

    test(`lets ${role} call what it says, and no more`, async () => {
      const token = await world.tokenOf(role);
      for (const [name, callers] of matrix.functions) {
        if (!/^(hospital|analytics)\./.test(name) || name === 'hospital.log_out') continue;
        const answer = await call(name, token, role);
        if (!answer) continue;
        const isRefused = codes(answer).includes('FORBIDDEN');
        assert.equal(isRefused, !callers.includes(role), `${name}: ${answer.text}`);
      }
    });
  }

  /** Columns that are left out are neither shown, nor compared, nor sorted by. */
  const hides = async (table: string, columns: string[], token: string | undefined): Promise<void> => {
    for (const column of columns) {
      const name = camel(column);
      assert.deepEqual(codes(await world.read(table, name, token)), ['FORBIDDEN'], name);
      for (const args of [`, orderBy: [${column.toUpperCase()}_ASC]`, `, filter: { ${name}: { equalTo: "x" } }`]) {
        const answer = await world.read(table, 'id', token, args);
        assert.ok(answer.errors.length > 0 && !answer.data?.[world.listOf(table)], `${args} ${answer.text}`);
      }
    }
  };

  /** Calls a function as the API offers it, with nothing real; undefined where the API cannot tell. */
  const call = async (name: string, token: string | undefined, role: string): Promise<Answer | undefined> => {
    const column = computed.get(name);
    if (column) {
      // On a row that is no table's but a change's.
      if (!matrix.tables.has(column.table)) return undefined;
      const readable = cellOf(matrix.tables.get(column.table)!, role, 'select');
      return readable && !readable.columns
        ? world.read(column.table, selectionOf(fieldOf(column.table, column.field)), token)
        : undefined;
    }
    const field = camel(name.slice(name.indexOf('.') + 1));
    for (const [verb, type] of [['query', world.schema.getQueryType()], ['mutation', world.schema.getMutationType()]] as const) {
      const found = type?.getFields()[field];
      if (found) return world.api.graphql(`${verb} { ${selectionOf(found)} }`, {}, token);
    }
    assert.fail(`${name} is no field of the API`);
  };

  const fieldOf = (table: string, field: string): GraphQLField<unknown, unknown> => {
    const list = getNamedType(world.schema.getQueryType()!.getFields()[world.listOf(table)]!.type) as GraphQLObjectType;
    return (getNamedType(list.getFields()['nodes']!.type) as GraphQLObjectType).getFields()[field]!;
  };
});

/** A field with what it needs: values that mean nothing, and the first thing that can be selected. */
function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const args = field.args
    .filter((arg) => isNonNullType(arg.type) || arg.name === 'first')
    .map((arg) => `${arg.name}: ${nothing(arg.type)}`);
  const head = args.length > 0 ? `${field.name}(${args.join(', ')})` : field.name;
  const type = getNamedType(field.type);
  if (!isObjectType(type)) return head;
  const fields = Object.values(type.getFields());
  const inner =
    type.getFields()['nodes'] ??
    fields.find((one) => isObjectType(getNamedType(one.type)) && !/^(query|clientMutationId)$/.test(one.name) && /Payload$/.test(type.name)) ??
    type.getFields()['id'] ??
    fields.find((one) => !isObjectType(getNamedType(one.type)) && one.name !== 'clientMutationId')!;
  return `${head} { ${selectionOf(inner)} }`;
}

/** A literal of the type that names nobody and nothing. */
function nothing(type: GraphQLInputType): string {
  const bare = getNullableType(type);
  if (isListType(bare)) return '[]';
  if (isInputObjectType(bare)) {
    const fields = Object.values(bare.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${fields.map((field) => `${field.name}: ${nothing(field.type)}`).join(', ')} }`;
  }
  assert.ok(isScalarType(bare), String(type));
  const values: Record<string, string> = {
    Boolean: 'false',
    Int: '1',
    BigInt: '"0"',
    BigFloat: '"1"',
    Date: '"1990-01-01"',
    Datetime: '"2099-01-01T12:00:00Z"',
    LocalDatetime: '"2099-01-01T12:00:00"',
    Time: '"12:00:00"',
    UUID: '"00000000-0000-0000-0000-000000000000"',
  };
  return values[bare.name] ?? '"x"';
}

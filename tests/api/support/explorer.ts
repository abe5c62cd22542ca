import assert from 'node:assert/strict';
import {
  getNamedType,
  isLeafType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { codes, type TestApi } from './api.ts';

/** Queries that begin at one field of Query and take its required arguments as variables of their names. */
export interface Exploration {
  field: string;
  required: { name: string; type: string }[];
  /** One query per path of relations: a table that may not be read hides only what lies behind it. */
  queries: string[];
}

type Field = GraphQLField<unknown, unknown>;

const PAGE = 10;

/** Every field of Query, with every path of relations from it up to `depth` steps, and all scalars at its end. */
export function explore(schema: GraphQLSchema, depth: number): Exploration[] {
  return Object.values(schema.getQueryType()!.getFields()).map((field) => {
    const required = requiredOf(field).map((arg) => ({ name: arg.name, type: String(arg.type) }));
    const declared = required.map(({ name, type }) => `$${name}: ${type}`).join(', ');
    const passed = required.map(({ name }) => `${name}: $${name}`);
    const queries = paths(field, depth, passed).map(
      (path) => `query ${declared && `(${declared})`} { ${path} }`,
    );
    return { field: field.name, required, queries };
  });
}

/**
 * Asks everything an exploration can ask, of every handle that could point at a row, and returns the answers;
 * what is not there has nothing behind it.
 */
export async function hear(
  api: TestApi,
  exploration: Exploration,
  handles: ReadonlySet<string>,
  token: string | undefined,
): Promise<string> {
  let heard = '';
  for (const variables of attempts(exploration, handles)) {
    for (const query of exploration.queries) {
      const answer = await api.graphql(query, variables, token);
      const unforeseen = codes(answer).filter((code) => code !== 'FORBIDDEN' && code !== 'ARGUMENT_MISSING');
      assert.deepEqual(unforeseen, [], `${query} ${answer.text}`);
      heard += answer.text;
      const found = answer.data[exploration.field];
      if (!found || found.nodes?.length === 0) break;
    }
  }
  return heard;
}

/** The arguments with which a field could point at the rows of the handles. */
function attempts({ field, required }: Exploration, handles: ReadonlySet<string>): Record<string, unknown>[] {
  if (required.length === 0) return [{}];
  const values = required.map(({ type }) => candidates(type, handles));
  const count = Math.max(...values.map(({ length }) => length));
  assert.ok(
    values.every(({ length }) => length > 0),
    `nothing to ask ${field} for`,
  );
  return Array.from({ length: count }, (_, n) =>
    Object.fromEntries(required.map(({ name }, i) => [name, values[i]![n % values[i]!.length]])),
  );
}

function candidates(type: string, handles: ReadonlySet<string>): unknown[] {
  if (type === 'Int!') return [1];
  const form = type === 'BigInt!' ? /^\d+$/ : type === 'UUID!' ? /^[0-9a-f-]{36}$/ : /./;
  return [...handles].filter((handle) => form.test(handle));
}

function paths(field: Field, depth: number, passed: string[] = []): string[] {
  const page = field.args.some((arg) => arg.name === 'first') ? [`first: ${PAGE}`] : [];
  const args = [...passed, ...page].join(', ');
  const head = args ? `${field.name}(${args})` : field.name;
  const { row, wrap } = rowOf(getNamedType(field.type) as GraphQLObjectType);
  const fields = Object.values(row.getFields()).filter((inner) => requiredOf(inner).length === 0);
  const scalars = fields.filter((inner) => isLeafType(getNamedType(inner.type))).map(({ name }) => name);
  const relations = depth === 0 ? [] : fields.filter((inner) => isObjectType(getNamedType(inner.type)));
  const ends = [
    ['__typename', ...scalars].join(' '),
    ...relations.flatMap((inner) => paths(inner, depth - 1)),
  ];
  return ends.map((end) => `${head} { ${wrap(end)} }`);
}

/** A connection is one step with its rows. */
function rowOf(type: GraphQLObjectType): { row: GraphQLObjectType; wrap: (end: string) => string } {
  const nodes = type.getFields()['nodes'];
  if (!nodes) return { row: type, wrap: (end) => end };
  return { row: getNamedType(nodes.type) as GraphQLObjectType, wrap: (end) => `nodes { ${end} }` };
}

function requiredOf(field: Field): Field['args'] {
  return field.args.filter((arg) => isNonNullType(arg.type));
}

import {
  getNamedType,
  isLeafType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

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

import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** One place of a field's arguments where a client may put a text, and the variables that put one there. */
export interface TextArgument {
  kind: 'Query' | 'Mutation';
  field: string;
  /** Such as input.reason or filter.name.equalTo. */
  place: string;
  /** The field with its arguments as variables `$<prefix>_<argument>`, and their declarations. */
  call(prefix: string): { declared: string; asked: string };
  variables(prefix: string, text: string): Record<string, unknown>;
}

/** Values that let a call get as far as it can: keys by the name of the argument, and one of each type. */
export interface Plausible {
  keys: Readonly<Record<string, string>>;
  scalars: Readonly<Record<string, unknown>>;
}

/** Every text of every argument of every query and mutation, generated from the schema. */
export function textArguments(schema: GraphQLSchema, plausible: Plausible): TextArgument[] {
  return (['Query', 'Mutation'] as const).flatMap((kind) => {
    const root = kind === 'Query' ? schema.getQueryType()! : schema.getMutationType()!;
    return Object.values(root.getFields()).flatMap((field) => {
      const base: Record<string, unknown> = {};
      for (const arg of field.args) {
        if (isNonNullType(arg.type)) base[arg.name] = plausibleValue(arg.type, arg.name, plausible);
      }
      const paged = field.args.some(({ name }) => name === 'first');
      if (paged) base['first'] = 1;
      const selection = selectionOf(getNamedType(field.type) as GraphQLObjectType);
      return field.args.flatMap((arg) =>
        placesOf(arg.type, 3).map(({ path, wrap }): TextArgument => {
          const used = [...new Set([...Object.keys(base), arg.name])];
          const typeOf = (name: string): string => String(field.args.find((one) => one.name === name)!.type);
          return {
            kind,
            field: field.name,
            place: [arg.name, ...path].join('.'),
            call: (prefix) => ({
              declared: used.map((name) => `$${prefix}_${name}: ${typeOf(name)}`).join(', '),
              asked: `${prefix}: ${field.name}(${used.map((name) => `${name}: $${prefix}_${name}`).join(', ')})${selection}`,
            }),
            variables: (prefix, text) => {
              const values = { ...base, [arg.name]: merge(base[arg.name], wrap(text)) };
              return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]));
            },
          };
        }),
      );
    });
  });
}

interface Place {
  path: string[];
  wrap(text: string): unknown;
}

/** The texts within a type, down to some depth; and, or and not hold only more of the same. */
function placesOf(type: GraphQLInputType, depth: number): Place[] {
  const inner = getNullableType(type);
  if (isListType(inner)) {
    return placesOf(inner.ofType, depth).map(({ path, wrap }) => ({ path, wrap: (text) => [wrap(text)] }));
  }
  if (isScalarType(inner)) return inner.name === 'Int' || inner.name === 'Boolean' ? [] : [{ path: [], wrap: (text) => text }];
  if (!isInputObjectType(inner) || depth === 0) return [];
  const fields = Object.values(inner.getFields()).filter(({ name }) => !['and', 'or', 'not'].includes(name));
  return fields.flatMap((field) =>
    placesOf(field.type, depth - 1).map(({ path, wrap }) => ({
      path: [field.name, ...path],
      wrap: (text: string) => ({ [field.name]: wrap(text) }),
    })),
  );
}

function plausibleValue(type: GraphQLInputType, name: string, plausible: Plausible): unknown {
  const inner = getNullableType(type);
  if (isListType(inner)) return [plausibleValue(inner.ofType, name, plausible)];
  if (isEnumType(inner)) return inner.getValues()[0]!.name;
  if (isInputObjectType(inner)) {
    const needed = Object.values(inner.getFields()).filter((field) => isNonNullType(field.type) || field.name in plausible.keys);
    return Object.fromEntries(needed.map((field) => [field.name, plausibleValue(field.type, field.name, plausible)]));
  }
  return plausible.keys[name] ?? plausible.scalars[(inner as { name: string }).name];
}

/** What one place adds to arguments that are otherwise plausible. */
function merge(base: unknown, added: unknown): unknown {
  const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isPlain(base) || !isPlain(added)) return added;
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(added)) merged[name] = merge(merged[name], value);
  return merged;
}

function selectionOf(type: GraphQLObjectType): string {
  if (!isObjectType(type)) return '';
  return 'nodes' in type.getFields() ? ' { nodes { __typename } }' : ' { __typename }';
}

import type { GraphileConfig } from 'graphile-config';
import type {} from 'postgraphile';
import { GraphQLError, Kind, type GraphQLScalarTypeConfig } from 'postgraphile/graphql';

const deepest = 16;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$/i;

/**
 * Keys are bigint, so they leave as text: JavaScript's numbers end at 2^53. Coming in, a plain number
 * is understood as well, since `patient(id: 7)` is what everybody writes.
 *
 * An instant says its zone. PostgreSQL would read `2026-03-09T14:00` in the connection's and accept
 * `tomorrow`, and an appointment would be booked at a time nobody meant.
 *
 * A document (JSON) is shallow: the library turns it back into text by recursion, which a few thousand lists
 * in each other bring down.
 */
export const ScalarsPlugin: GraphileConfig.Plugin = {
  name: 'InfirmaryScalarsPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLScalarType(config) {
        if (config.name === 'BigInt') return acceptNumbers(config);
        if (config.name === 'JSON') return refuseDepth(config);
        return config.name === 'Datetime' ? demandInstants(config) : config;
      },
    },
  },
};

function acceptNumbers<In, Out>(config: GraphQLScalarTypeConfig<In, Out>): GraphQLScalarTypeConfig<In, Out> {
  return {
    ...config,
    // Whether a text is a number that fits is PostgreSQL's to say.
    parseValue(value) {
      if (typeof value === 'string') return value as In;
      if (Number.isSafeInteger(value)) return String(value) as In;
      throw new GraphQLError('A BigInt is a whole number; beyond 2^53 it is sent as text.');
    },
    parseLiteral(node) {
      if (node.kind === Kind.INT || node.kind === Kind.STRING) return node.value as In;
      throw new GraphQLError('A BigInt is a whole number, written plainly or as text.', { nodes: node });
    },
  };
}

function demandInstants<In, Out>(config: GraphQLScalarTypeConfig<In, Out>): GraphQLScalarTypeConfig<In, Out> {
  const read = (value: unknown): In => {
    if (typeof value === 'string' && instant.test(value)) return value as In;
    throw new GraphQLError('A Datetime is a date, a time and an offset, such as 2026-03-09T14:00:00-04:00.');
  };
  return {
    ...config,
    parseValue: read,
    parseLiteral: (node) => read(node.kind === Kind.STRING ? node.value : undefined),
  };
}

function refuseDepth<In, Out>(config: GraphQLScalarTypeConfig<In, Out>): GraphQLScalarTypeConfig<In, Out> {
  const { parseValue, parseLiteral } = config;
  const shallow = (value: In): In => {
    if (!isDeeper(value, deepest)) return value;
    throw new GraphQLError(`A JSON value is nested at most ${deepest} levels deep.`);
  };
  return {
    ...config,
    parseValue: (value) => shallow(parseValue ? (parseValue(value) as In) : (value as In)),
    ...(parseLiteral && { parseLiteral: (node, variables) => shallow(parseLiteral(node, variables) as In) }),
  };
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

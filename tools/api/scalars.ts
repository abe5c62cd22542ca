import type { GraphileConfig } from 'graphile-config';
import type {} from 'postgraphile';
import { GraphQLError, Kind, type GraphQLScalarTypeConfig } from 'postgraphile/graphql';

/**
 * Keys are bigint, so they leave as text: JavaScript's numbers end at 2^53. Coming in, a plain number
 * is understood as well, since `patient(id: 7)` is what everybody writes.
 */
export const ScalarsPlugin: GraphileConfig.Plugin = {
  name: 'InfirmaryScalarsPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLScalarType(config) {
        return config.name === 'BigInt' ? acceptNumbers(config) : config;
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

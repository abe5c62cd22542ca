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
  const read = (text: string): In => {
    if (/^-?\d{1,19}$/.test(text)) return text as In;
    throw new GraphQLError('A BigInt is a whole number, written plainly or as text.');
  };
  return {
    ...config,
    parseValue(value) {
      if (typeof value === 'number' && !Number.isSafeInteger(value)) {
        throw new GraphQLError('A number this large has lost digits on the way; send it as text.');
      }
      return read(String(value));
    },
    parseLiteral(node) {
      if (node.kind === Kind.INT || node.kind === Kind.STRING) return read(node.value);
      throw new GraphQLError('A BigInt is a whole number, written plainly or as text.', { nodes: node });
    },
  };
}

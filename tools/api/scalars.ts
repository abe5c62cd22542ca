import type { GraphileConfig } from 'graphile-config';
import type {} from 'postgraphile';
import { GraphQLError, Kind, type GraphQLScalarTypeConfig } from 'postgraphile/graphql';

/** Levels of a document: the library turns it back into text by recursion, which a few thousand bring down. */
const deepest = 16;

/** A type whose values travel as text: which texts are one, whether a number is understood too, and what to say. */
interface Form {
  text: RegExp;
  numbers?: boolean;
  sentence: string;
}

/**
 * What a value must look like before it is handed on. PostgreSQL would quote a malformed one in its error, and thereby
 * in its log; it would also accept `tomorrow`, `infinity` and `NaN`, which nobody means.
 *
 * Keys are bigint, so they leave as text: JavaScript's numbers end at 2^53. Coming in, a plain number is understood as
 * well, since `patient(id: 7)` is what everybody writes. An instant says its zone: PostgreSQL would read
 * `2026-03-09T14:00` in the connection's, and an appointment would be booked at a time nobody meant.
 */
const FORMS: Readonly<Record<string, Form>> = {
  BigInt: {
    text: /^-?\d{1,19}$/,
    numbers: true,
    sentence: 'A BigInt is a whole number of at most 19 digits; beyond 2^53 it is sent as text.',
  },
  BigFloat: {
    text: /^-?\d{1,30}(\.\d{1,30})?$/,
    numbers: true,
    sentence: 'A BigFloat is a number, written plainly or as text, such as 80.00.',
  },
  Datetime: {
    text: /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$/i,
    sentence: 'A Datetime is a date, a time and an offset, such as 2026-03-09T14:00:00-04:00.',
  },
  Date: { text: /^\d{4}-\d\d-\d\d$/, sentence: 'A Date is a year, a month and a day, such as 2026-03-09.' },
  Time: { text: /^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$/, sentence: 'A Time is hours and minutes, such as 14:00.' },
  UUID: {
    text: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
    sentence: 'A UUID has 32 hexadecimal digits in five groups.',
  },
};

/** The types of values, and what they must look like. */
export const ScalarsPlugin: GraphileConfig.Plugin = {
  name: 'InfirmaryScalarsPlugin',
  version: '1.0.0',
  schema: {
    hooks: {
      GraphQLScalarType(config) {
        if (config.name === 'JSON') return refuseDepth(config);
        const form = FORMS[config.name];
        return form ? demand(config, form) : config;
      },
    },
  },
};

function demand<In, Out>(
  config: GraphQLScalarTypeConfig<In, Out>,
  { text, numbers = false, sentence }: Form,
): GraphQLScalarTypeConfig<In, Out> {
  const read = (value: unknown): In => {
    const written = numbers && isExact(value) ? String(value) : value;
    // Whether it is a day that exists, or a number that fits, is PostgreSQL's to say.
    if (typeof written === 'string' && text.test(written)) return written as In;
    throw new GraphQLError(sentence);
  };
  return {
    ...config,
    parseValue: read,
    parseLiteral: (node) => {
      const isNumber = numbers && (node.kind === Kind.INT || node.kind === Kind.FLOAT);
      return read(node.kind === Kind.STRING || isNumber ? node.value : undefined);
    },
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

/** Whether a number is the one that was sent. */
function isExact(value: unknown): value is number {
  return typeof value === 'number' && (Number.isSafeInteger(value) || !Number.isInteger(value));
}

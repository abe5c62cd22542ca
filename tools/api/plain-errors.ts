import type { GraphileConfig } from 'graphile-config';
import type { GrafservBase } from 'postgraphile/grafserv';
import { GraphQLError, NoSchemaIntrospectionCustomRule, type DocumentNode } from 'postgraphile/graphql';
import { API_ERRORS, type ApiErrorCode } from './error-register.ts';
import { noteCode } from './request.ts';

/**
 * GraphQL's own sentences quote what was sent, and guess at names the client did not know. Each pattern is cut to
 * what may be told; what it says of names in the client's own document stays.
 */
const PLAIN: readonly [RegExp, string][] = [
  [/^Syntax Error.*/s, 'Syntax Error: the document cannot be read from here on.'],
  [/^Unknown operation named .*/s, 'The document has no operation of that name.'],
  [/^Variable "(\$\w+)" got invalid value .*/s, 'Variable "$1" got an invalid value.'],
  [/^Argument "(\w+)" has invalid value .*/s, 'Argument "$1" has an invalid value.'],
  [/^Value .* does not exist in "(\w+)" enum.*/s, 'Such a value does not exist in "$1" enum.'],
  [/^(Expected (?:value of )?type "[^"]+").*/s, '$1.'],
  [/^(\w+|Enum "\w+") cannot represent ([\w -]+): .*/s, '$1 cannot represent $2.'],
  [/\s*Did you mean [^?]*\?/gs, ''],
];

/** A sentence of GraphQL's about a request, without anything of the request's values. */
export function plainSentence(message: string): string {
  return PLAIN.reduce((text, [pattern, plain]) => text.replace(pattern, plain), message);
}

/** What an answer says that nobody gave a code. */
const BY_STATUS: Readonly<Record<number, ApiErrorCode>> = {
  405: 'METHOD_NOT_ALLOWED',
  413: 'REQUEST_TOO_LARGE',
  415: 'MEDIA_TYPE_REFUSED',
  500: 'INTERNAL_ERROR',
  503: 'UNAVAILABLE',
};

/** Refusals that never reach an operation: of documents that cannot be read or are not valid, and of the transport. */
export function plainErrorsPlugin({ introspection }: { introspection: boolean }): GraphileConfig.Plugin {
  return {
    name: 'InfirmaryPlainErrorsPlugin',
    version: '1.0.0',
    grafserv: {
      middleware: {
        setPreset(next, options) {
          if (!introspection) options.validationRules.push(NoSchemaIntrospectionCustomRule);
          const { getExecutionConfig } = options;
          options.getExecutionConfig = async function (this: GrafservBase, ...args) {
            const config = await getExecutionConfig.apply(this, args);
            return {
              ...config,
              parseAndValidate(text: string): { document: DocumentNode } | { errors: readonly GraphQLError[] } {
                const result = config.parseAndValidate(text);
                return 'errors' in result && result.errors ? { errors: result.errors.map(plain) } : result;
              },
            } as never;
          };
          return next();
        },
        async processRequest(next) {
          const result = await next();
          if (result?.type !== 'buffer' || result.statusCode < 400 || !isJson(result.headers)) return result;
          const buffer = Buffer.from(JSON.stringify(withCodes(JSON.parse(result.buffer.toString()), result.statusCode)));
          return { ...result, headers: { ...result.headers, 'content-length': String(buffer.length) }, buffer };
        },
      },
    },
  };
}

/** The same error, with a plain sentence and a code. */
function plain({ message, nodes, source, positions, path, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(plainSentence(message), {
    nodes,
    source,
    positions,
    path,
    extensions: { code: 'BAD_REQUEST', ...extensions },
  });
}

interface Answer {
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

function withCodes(answer: Answer, status: number): Answer {
  const code = BY_STATUS[status] ?? 'BAD_REQUEST';
  noteCode(answer.errors?.[0]?.extensions?.['code'] ?? code);
  const errors = answer.errors?.map((error) =>
    typeof error.extensions?.['code'] === 'string' ? error : { message: API_ERRORS[code], extensions: { code } },
  );
  return { ...answer, ...(errors && { errors }) };
}

function isJson(headers: Record<string, string>): boolean {
  return /json/.test(headers['content-type'] ?? '');
}

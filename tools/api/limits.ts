import { Lexer, Source, TokenKind } from 'postgraphile/graphql';
import { refusal } from './errors.ts';

/** How much one request may ask for. */
export const LIMITS = {
  /** Tokens in a document: validation takes time quadratic in it, before any other limit can look. */
  tokens: 2000,
  /** Braces within braces in a document, which the parser follows by recursion. */
  braces: 24,
  /** Fields within fields in an operation. */
  depth: 12,
  /** Rows that a page may hold. */
  page: 200,
  /** Objects that an answer may hold, estimated from the page sizes. */
  cost: 10_000,
  /** Root fields of an operation: each takes a transaction of its own. */
  fields: 40,
  /** Root fields of a mutation: each is one change, and one attempt at a password. */
  mutations: 10,
} as const;

/** Refuses a document that would be expensive only to read. */
export function checkText(text: string): void {
  let braces = 0;
  let tokens = 0;
  for (const kind of tokenKinds(text)) {
    tokens += 1;
    if (kind === TokenKind.BRACE_L) braces += 1;
    if (kind === TokenKind.BRACE_R) braces -= 1;
    if (tokens > LIMITS.tokens) throw refusal('QUERY_TOO_LONG');
    if (braces > LIMITS.braces) throw refusal('QUERY_TOO_DEEP');
  }
}

function* tokenKinds(text: string): Generator<TokenKind> {
  const lexer = new Lexer(new Source(text));
  try {
    while (lexer.advance().kind !== TokenKind.EOF) yield lexer.token.kind;
  } catch {
    // Not GraphQL: the parser says where, better than could be said here.
  }
}

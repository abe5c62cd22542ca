import { Lexer, Source, TokenKind } from 'postgraphile/graphql';
import { refusal } from './errors.ts';

/** How much one request may ask for. */
export const LIMITS = {
  /** Tokens in a document: validation takes time quadratic in it, before any other limit can look. */
  tokens: 2000,
  /** Braces within braces in a document, which the parser follows by recursion. */
  braces: 24,
  /** Values in the variables of a request, and how deep they may lie: both become SQL, which is planned by recursion. */
  values: 5000,
  nesting: 16,
  /** Fields within fields in an operation. */
  depth: 12,
  /** Rows that a page may hold. */
  page: 200,
  /** Objects that an answer may hold, estimated from the page sizes. */
  cost: 10_000,
  /** Root fields of an operation: each takes a transaction of its own. */
  fields: 40,
  /** Names given to fields by the client: each is answered, however often it asks for the same. */
  aliases: 50,
  /** Root fields of a mutation: each is one change, and one attempt at a password. */
  mutations: 10,
  /** Operations that run at once on one websocket, subscriptions among them. */
  operationsPerSocket: 20,
  /** Reports that are made at once, each for another session: each holds a connection to the database. */
  reports: 4,
} as const;

/** How much a client may take of the server before it has said anything, in milliseconds and connections. */
export const PATIENCE = {
  /** Until all headers of a request have come. */
  headers: 10_000,
  /** Until the whole request has come. */
  request: 30_000,
  /** Until an answered request's unread rest is cut off. */
  rest: 1_000,
  /** Connections at once; those beyond are closed. */
  connections: 1000,
  /** Until a report has been received: it holds a connection to the database while it comes. */
  report: 60_000,
  /** Headers of a request; the rest of them is not looked at. */
  headerCount: 100,
};
export type Patience = typeof PATIENCE;

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

/** Refuses variables that would be expensive only to turn into SQL. */
export function checkVariables(variables: unknown): void {
  let values = 0;
  let level: unknown[] = [variables];
  for (let depth = 0; level.length > 0; depth += 1) {
    values += level.length;
    if (values > LIMITS.values) throw refusal('QUERY_TOO_LONG');
    if (depth > LIMITS.nesting) throw refusal('QUERY_TOO_DEEP');
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
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

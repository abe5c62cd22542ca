import { GraphQLError } from 'postgraphile/graphql';
import { isSafeError, SafeError } from 'postgraphile/grafast';
import {
  API_ERRORS,
  CONDITIONS,
  CONSTRAINTS,
  lookUp,
  type ApiErrorCode,
  type ErrorEntry,
} from './error-register.ts';
import { logEvent } from './log.ts';
import { plainSentence } from './plain-errors.ts';
import { currentRequestId, noteCode } from './request.ts';

/** An error that was written to be read by a client: a registered code and a prepared sentence. */
export function refusal(code: ApiErrorCode, message: string = API_ERRORS[code]): SafeError {
  return new SafeError(message, { code, statusCode: code === 'UNAUTHENTICATED' ? 401 : 400 });
}

/** What node-postgres says of an error of the server. */
interface DatabaseError extends Error {
  severity: string;
  code: string;
  hint?: string;
  constraint?: string;
  table?: string;
  routine?: string;
}

/**
 * Turns any error of an operation into one a client may see: registered code, prepared sentence, path.
 * Never DETAIL, SQL or values. What nobody foresaw becomes INTERNAL_ERROR and is logged, also without values.
 */
export function maskError(error: GraphQLError): GraphQLError {
  const cause = rootCause(error);
  // GraphQL wrote this one about the request itself, such as a variable of the wrong type.
  if (cause instanceof GraphQLError) {
    const extensions = { code: 'BAD_REQUEST', ...cause.extensions };
    noteCode(extensions.code);
    return withPath(error, plainSentence(cause.message), extensions);
  }
  const { message, ...extensions } = describeError(cause, error.path?.join('.'));
  noteCode(extensions.code);
  return withPath(error, message, extensions);
}

/** What a client is told of an error: the register's code, and what helps to act on it. */
export interface PublicAnswer extends ErrorEntry {
  hint?: string;
  /** The constraint, named as the rule it holds, where the code stands for a family of them. */
  rule?: string;
  requestId?: string;
}

/** What to tell of any thrown error; INTERNAL_ERROR with the request's id, logged, when nobody foresaw it. */
export function describeError(error: unknown, path?: string): PublicAnswer {
  const answer = answerFor(error);
  if (answer) return answer;
  const requestId = currentRequestId();
  logUnexpected(error, requestId, path);
  return { code: 'INTERNAL_ERROR', message: API_ERRORS.INTERNAL_ERROR, requestId };
}

function rootCause(error: unknown): unknown {
  const inner = error instanceof GraphQLError ? error.originalError : undefined;
  return inner ? rootCause(inner) : error;
}

/** How node-postgres says that there is no connection, or that the one it had is gone. */
const UNREACHABLE =
  /timeout exceeded when trying to connect|^Connection terminated|connection error and is not queryable/;

function answerFor(error: unknown): PublicAnswer | undefined {
  if (isDatabaseError(error)) return answerForDatabase(error);
  if (!(error instanceof Error)) return undefined;
  if (isSafeError(error)) return answerForSafeError(error);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const isUnreachable = /^ECONN/.test(code) || UNREACHABLE.test(error.message);
  return isUnreachable ? { code: 'UNAVAILABLE', message: API_ERRORS.UNAVAILABLE } : undefined;
}

function answerForDatabase({
  code: sqlstate,
  constraint,
  message,
  hint,
}: DatabaseError): PublicAnswer | undefined {
  const entry = lookUp(sqlstate, constraint);
  // Our own conditions speak in constants, more exactly than the register can.
  if (sqlstate in CONDITIONS) return { ...entry!, message, ...(hint && { hint }) };
  const rule = constraint !== undefined && !(constraint in CONSTRAINTS) ? { rule: constraint } : {};
  return entry && { ...entry, ...rule };
}

/** Ours carry a code; without one it is the library's, about its own limits on time or about a cursor or page that is none. */
function answerForSafeError(error: SafeError): PublicAnswer {
  const code = error.extensions?.['code'];
  if (typeof code === 'string') return { code, message: error.message };
  const own: ApiErrorCode = /timeout/i.test(error.message) ? 'TIMEOUT' : 'BAD_REQUEST';
  return { code: own, message: API_ERRORS[own] };
}

function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}

function withPath(
  error: GraphQLError,
  message: string,
  extensions: Readonly<Record<string, unknown>>,
): GraphQLError {
  const { nodes, source, positions, path } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

/** An error's message may quote a patient's data, so only its shape is written down. */
function logUnexpected(error: unknown, requestId: string, path?: string): void {
  const known = isDatabaseError(error) ? error : undefined;
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  logEvent('error', 'unexpected_error', {
    requestId,
    path,
    name: error instanceof Error ? error.name : typeof error,
    sqlstate: known?.code,
    constraint: known?.constraint,
    table: known?.table,
    routine: known?.routine,
    frames: stack
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 12)
      .map((line) => line.trim()),
  });
}

/**
 * A failure we foresaw: its message says what is wrong, its remedy what to do about it.
 * The command line prints both once, without a stack trace.
 */
export class Failure extends Error {
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.remedy = remedy;
  }
}

/** The command was called wrongly: exit code 2 instead of 1. */
export class UsageError extends Failure {}

/** The code of a system error ('EACCES') or of a PostgreSQL error (SQLSTATE, '28P01'), if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The message of anything thrown; an AggregateError (a refused connection) speaks through its parts. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** The text for standard error: message, remedy, and a stack only when `debug` asks for one. */
export function describe(error: unknown, debug = false): string {
  const lines = [`Error: ${messageOf(error)}`];
  if (error instanceof Failure) {
    if (error.remedy) lines.push(`  ${error.remedy.replaceAll('\n', '\n  ')}`);
  } else {
    const { severity, hint } = error as { severity?: string; hint?: string };
    if (severity) lines[0] = `${severity} ${codeOf(error)}: ${messageOf(error)}`;
    if (hint) lines.push(`  ${hint}`);
    if (!severity && !debug)
      lines.push('  This was not expected. Run it again with --debug to see where it happened.');
  }
  if (debug && error instanceof Error) {
    lines.push(error.stack ?? '');
    if (error.cause)
      lines.push(`Caused by: ${error.cause instanceof Error ? error.cause.stack : error.cause}`);
  }
  return lines.join('\n');
}

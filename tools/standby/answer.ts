import { codeOf } from '../failure.ts';

/** Whether an error is a server's own, so that one runs there, whatever it says. */
export function isAnswer(error: unknown): boolean {
  const code = codeOf(error) ?? codeOf((error as { cause?: unknown } | undefined)?.cause);
  return code !== undefined && /^\d[0-9A-Z]{4}$/.test(code);
}

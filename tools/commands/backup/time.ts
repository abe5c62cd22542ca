import { UsageError } from '../../failure.ts';

/** A time without a zone would be another one on another machine. */
export function readTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime()) && /(Z|[+-]\d\d(:?\d\d)?)$/.test(text)) return time;
  throw new UsageError(`"${text}" is no time with a zone.`, 'Such as 2026-11-24T21:00:00Z or 2026-11-24T21:00:00+01:00');
}

/**
 * One line of JSON on stderr per event. Callers pass ids, codes and durations,
 * never values out of a request or a row: logs are read by people who may not read charts.
 */
export function logEvent(level: 'info' | 'error', event: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...fields });
  process.stderr.write(`${line}\n`);
}
